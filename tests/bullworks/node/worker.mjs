// A worker of npm bullmq: prints each job it runs as a line of JSON, until stdin ends. In: {url, prefix, queue} as argument.
import { Worker } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(process.argv[2]);
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const worker = new Worker(
  input.queue,
  async (job) => {
    await job.updateProgress(50);
    await job.log(`ran ${job.name}`);
    if (job.data?.fail) throw new Error(job.data.fail);
    return { ran: job.name, attemptsStarted: job.attemptsStarted };
  },
  { connection, prefix: input.prefix, name: 'node-worker' },
);
const tell = (event) => (job) => console.log(JSON.stringify({ event, id: job.id, name: job.name, data: job.data }));
worker.on('completed', tell('completed'));
worker.on('failed', tell('failed'));
await worker.waitUntilReady();
console.log('ready');
process.stdin.resume();
process.stdin.on('end', async () => {
  await worker.close();
  connection.disconnect();
});
