// Adds jobs and waits for each with npm bullmq's job.waitUntilFinished, then prints what came of each: {value} or {error}.
// In, on stdin: {url, prefix, queue, ttl: ms, jobs: [{name, data, opts}]}.
import { Queue, QueueEvents } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(await new Response(process.stdin).text());
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const options = { connection, prefix: input.prefix };
const queue = new Queue(input.queue, options);
const reading = connection.duplicate();
// From the oldest on: with '$' npm bullmq misses what happens between waitUntilReady and its first XREAD.
const events = new QueueEvents(input.queue, { ...options, connection: reading, lastEventId: '0' });
await events.waitUntilReady();
const jobs = await queue.addBulk(input.jobs);
const waits = jobs.map((job) => job.waitUntilFinished(events, input.ttl));
const results = (await Promise.allSettled(waits)).map(({ status, value, reason }) =>
  status === 'fulfilled' ? { value } : { error: reason.message },
);
await events.close();
await queue.close();
connection.disconnect();
reading.disconnect();
console.log(JSON.stringify(results));
