// Publishes events with npm bullmq's QueueEventsProducer. In, on stdin: {url, prefix, queue, events: [{eventName, ...}]}.
import { QueueEventsProducer } from 'bullmq';
import IORedis from 'ioredis';

const input = JSON.parse(await new Response(process.stdin).text());
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const producer = new QueueEventsProducer(input.queue, { connection, prefix: input.prefix });
for (const event of input.events) await producer.publishEvent(event);
await producer.close();
connection.disconnect();
console.log(JSON.stringify(input.events.length));
