// A worker of npm bullmq that fails expired jobs named `looks`, by the lines that docs/beyond-bullmq.md has for it; prints how each
// job ended as a line of JSON, until stdin ends. In: {url, prefix, queue} as argument.
import { UnrecoverableError, Worker } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(process.argv[2]);
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });

function refuseExpired(job) {
  const { expires, delay = 0 } = job.opts;
  const deadline = expires?.at ?? job.timestamp + delay + expires;
  if (job.processedOn >= deadline) throw new UnrecoverableError('expired');
}

const worker = new Worker(
  input.queue,
  async (job) => {
    if (job.name === 'looks') refuseExpired(job);
  },
  { connection, prefix: input.prefix },
);
const tell = (event) => (job) => console.log(JSON.stringify({ event, id: job.id }));
worker.on('completed', tell('completed'));
worker.on('failed', tell('failed'));
await worker.waitUntilReady();
console.log('ready');
process.stdin.resume();
process.stdin.on('end', async () => {
  await worker.close();
  connection.disconnect();
});
