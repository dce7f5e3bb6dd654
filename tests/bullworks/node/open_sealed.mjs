// A worker of npm bullmq that opens encrypted fields, as docs/beyond-bullmq.md has it: prints each job's card as a line of
// JSON, until stdin ends. In: {url, prefix, queue, keys} as argument; keys: base64 by key id.
import { createDecipheriv } from 'node:crypto';
import { Worker } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(process.argv[2]);
const { keys } = input;

function open({ kid, iv, ct }) {
  const sealed = Buffer.from(ct, 'base64');
  const decipher = createDecipheriv('aes-256-gcm', Buffer.from(keys[kid], 'base64'), Buffer.from(iv, 'base64'));
  decipher.setAAD(Buffer.from(kid));
  decipher.setAuthTag(sealed.subarray(-16));
  return JSON.parse(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]));
}

const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const worker = new Worker(
  input.queue,
  async (job) => {
    console.log(JSON.stringify({ number: job.data.number, card: open(job.data.card) }));
  },
  { connection, prefix: input.prefix, autorun: false },
);
await worker.waitUntilReady();
console.log('ready');
worker.run();
process.stdin.resume().on('end', async () => {
  await worker.close();
  connection.disconnect();
});
