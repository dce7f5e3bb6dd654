// npm's bullmq-otel, with OpenTelemetry's own SDK. In, on stdin: {url, prefix, queue, add: [{name, data, opts}],
// bulk: the same, flows: [flow], schedulers: [[id, repeat, template]], tidies: bool, process: jobs to process}. Adds, and
// then processes; prints the ids of what it added and all spans that ended.
import { FlowProducer, Queue, Worker } from 'bullmq';
import { BullMQOtel } from 'bullmq-otel';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import IORedis from 'ioredis';

const input = JSON.parse(await new Response(process.stdin).text());
const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
provider.register();

const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const options = { connection, prefix: input.prefix, telemetry: new BullMQOtel() };
const queue = new Queue(input.queue, options);
const ids = [];
for (const { name, data, opts } of input.add) ids.push((await queue.add(name, data, opts)).id);
if (input.bulk) await queue.addBulk(input.bulk);
if (input.flows) {
  const flows = new FlowProducer(options);
  await flows.add(input.flows[0]);
  await flows.addBulk(input.flows.slice(1));
  await flows.close();
}
for (const scheduler of input.schedulers ?? []) await queue.upsertJobScheduler(...scheduler);
if (input.tidies) {
  await queue.pause();
  await queue.resume();
  await queue.rateLimit(1000);
  await queue.removeRateLimitKey();
  await queue.removeDeduplicationKey('d');
  await queue.remove('nobody');
  await queue.clean(0, 10, 'completed');
  await queue.drain();
  await queue.retryJobs({ state: 'failed', count: 1000 });
  await queue.promoteJobs({ count: 1000 });
  await queue.trimEvents(100);
  await queue.obliterate({ force: true });
}
if (input.process) {
  let left = input.process;
  await new Promise((resolve, reject) => {
    const worker = new Worker(input.queue, async (job) => {
      if (job.data?.fail) throw new Error(job.data.fail);
      return job.data;
    }, { ...options, name: 'node-worker' });
    const ended = () => --left || worker.close().then(resolve, reject);
    worker.on('completed', ended).on('failed', ended).on('error', reject);
  });
}
await queue.close();
connection.disconnect();
await provider.forceFlush();
const spans = exporter.getFinishedSpans().map((span) => ({
  name: span.name,
  kind: span.kind,
  traceId: span.spanContext().traceId,
  spanId: span.spanContext().spanId,
  parentSpanId: span.parentSpanContext?.spanId ?? null,
  attributes: span.attributes,
  events: span.events.map((event) => [event.name, event.attributes ?? {}]),
}));
console.log(JSON.stringify({ ids, spans }));
