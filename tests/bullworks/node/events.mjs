// A QueueEvents of npm bullmq: prints each event as a line of JSON, from the oldest on, until stdin ends.
// In, as argument: {url, prefix, queue, names: events to listen to}.
import { QueueEvents } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(process.argv[2]);
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const events = new QueueEvents(input.queue, { connection, prefix: input.prefix, lastEventId: '0' });
for (const event of input.names) {
  events.on(event, (...told) => {
    const id = told.pop();
    console.log(JSON.stringify({ event, args: told[0] ?? {}, id }));
  });
}
await events.waitUntilReady();
console.log('ready');
process.stdin.resume();
process.stdin.on('end', async () => {
  await events.close();
  connection.disconnect();
});
