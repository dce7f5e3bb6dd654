// A worker of npm bullmq whose handler takes run_ms, to be killed or frozen. In: {url, prefix, queue, run_ms, options}.
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'bullmq';
import IORedis from 'ioredis';

const { url, prefix, queue, run_ms: runMs, options } = JSON.parse(process.argv[2]);
const connection = new IORedis(url, { maxRetriesPerRequest: null });
connection.on('error', () => {}); // an outage is what this is here for
const worker = new Worker(queue, async () => sleep(runMs), { connection, prefix, ...options });
worker.on('error', () => {});
await worker.waitUntilReady();
console.log('ready');
