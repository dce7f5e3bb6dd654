// Node's part of a fleet: workers, producers and listeners of npm bullmq, told what to do line by line until stdin ends.
// In: {do: name, ...}; first {do: "connect", url, prefix}. Out: the answer, or {broken}. tests/bullworks/compat/fleet.py has ours.
import { createInterface } from 'node:readline';
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import IORedis from 'ioredis';

const fleet = { queues: new Map(), workers: new Map(), listeners: [], heard: {} };

// What both sides' handlers do: one more run in the ledger; a failure where the job says so; else a number to add up.
async function handle(job) {
  await fleet.connection.hincrby(fleet.ledger, `${job.queueName}:${job.id}`, 1);
  await fleet.connection.hincrby(`${fleet.ledger}:by`, 'node', 1);
  if (job.attemptsStarted <= (job.data.failures ?? 0)) throw new Error(`failure ${job.attemptsStarted}`);
  const values = Object.values(await job.getChildrenValues());
  return values.reduce((sum, value) => sum + value, job.data.n);
}

const queue = (name) => {
  if (!fleet.queues.has(name)) fleet.queues.set(name, new Queue(name, fleet.options));
  return fleet.queues.get(name);
};

const COMMANDS = {
  // A cluster is told by {nodes: [{host, port}], password}, what sentinels watch by ioredis' own options.
  connect: ({ url, nodes, password, sentinels, prefix }) => {
    const patient = { maxRetriesPerRequest: null };
    if (nodes) fleet.connection = new IORedis.Cluster(nodes, { redisOptions: { ...patient, password } });
    else fleet.connection = sentinels ? new IORedis({ ...patient, ...sentinels }) : new IORedis(url, patient);
    fleet.options = { connection: fleet.connection, prefix };
    fleet.ledger = `${prefix}:ledger`;
    fleet.flows = new FlowProducer(fleet.options);
  },
  work: async ({ name, queue: of, concurrency }) => {
    const worker = new Worker(of, handle, { ...fleet.options, name, concurrency });
    fleet.workers.set(name, worker);
    await worker.waitUntilReady();
  },
  stop: async ({ name }) => {
    await fleet.workers.get(name).close();
    fleet.workers.delete(name);
  },
  add: async ({ queue: to, jobs }) => { await queue(to).addBulk(jobs); },
  flows: async ({ trees }) => { await fleet.flows.addBulk(trees); },
  pause: ({ queue: of }) => queue(of).pause(),
  resume: ({ queue: of }) => queue(of).resume(),
  upsert: async ({ queue: of, id, repeat, data }) => { await queue(of).upsertJobScheduler(id, repeat, { data }); },
  counts: ({ queue: of }) => queue(of).getJobCounts(),
  listen: async ({ queue: to, events }) => {
    const connection = fleet.connection.duplicate();
    // From the first event on: those between being ready and the first read would be missed otherwise.
    const listener = new QueueEvents(to, { ...fleet.options, connection, lastEventId: '0' });
    for (const event of events) {
      fleet.heard[event] = [];
      listener.on(event, ({ jobId }) => fleet.heard[event].push(jobId ?? ''));
    }
    await listener.waitUntilReady();
    fleet.listeners.push(listener);
  },
  heard: ({ event }) => fleet.heard[event],
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...args } = JSON.parse(line);
  try {
    console.log(JSON.stringify((await COMMANDS[name](args)) ?? null));
  } catch (error) {
    console.log(JSON.stringify({ broken: error.stack }));
  }
}
process.exit(0);
