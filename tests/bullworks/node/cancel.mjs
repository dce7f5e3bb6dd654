// A worker of npm bullmq that can be cancelled from anywhere: prints each job that it starts as a line of JSON, and on a
// line `go` ends those that are not cancelled, until stdin ends. In: {url, prefix, queue, listens, final} as argument.
import { createInterface } from 'node:readline';
import { QueueEvents, UnrecoverableError, Worker } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(process.argv[2]);
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const options = { connection, prefix: input.prefix };
let go;
const gone = new Promise((resolve) => (go = resolve));
const Ended = input.final ? UnrecoverableError : Error;
const worker = new Worker(
  input.queue,
  (job, token, signal) => {
    console.log(JSON.stringify({ started: job.id, at: Date.now() }));
    return new Promise((resolve, reject) => {
      signal.addEventListener('abort', () => {
        console.log(JSON.stringify({ aborted: job.id, at: Date.now() }));
        reject(new Ended(signal.reason));
      });
      gone.then(() => resolve('ran to its end'));
    });
  },
  { ...options, concurrency: input.concurrency ?? 10, autorun: false },
);
worker.on('failed', (job) => console.log(JSON.stringify({ failed: job.id, at: Date.now() })));
const listening = connection.duplicate();
let events;
if (input.listens) {
  events = new QueueEvents(input.queue, { connection: listening, prefix: input.prefix });
  events.on('cancel-requested', ({ jobId, reason }) => worker.cancelJob(jobId, reason));
  await events.waitUntilReady();
}
await worker.waitUntilReady();
console.log('ready');
worker.run();
const lines = createInterface({ input: process.stdin });
lines.on('line', () => go());
lines.on('close', async () => {
  go();
  await worker.close();
  await events?.close();
  listening.disconnect();
  connection.disconnect();
});
