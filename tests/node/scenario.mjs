// Runs the steps of a scenario with npm bullmq and prints what each returned, as tests/compat/scenario.py does with ours.
// In: {url, prefix, queue, steps: [[name, ...arguments], ...]} as JSON on stdin. Out: a JSON list of results.
import { Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';

const TOKEN = 'token';
const LOCK_MS = 30000;

const input = JSON.parse(await new Response(process.stdin).text());
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const queue = new Queue(input.queue, { connection, prefix: input.prefix });
const worker = new Worker(input.queue, null, { connection, prefix: input.prefix, name: 'worker-1', lockDuration: LOCK_MS });
await queue.waitUntilReady();
await worker.waitUntilReady();
let held = null;

const ids = (jobs) => jobs.map((job) => job.id);
const job = async (id) => {
  const found = await queue.getJob(id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
};

// A repeat option that counts from now: {startIn, endIn} in ms, and {offsetIn}, the offset of a slot so far ahead.
const dated = ({ startIn, endIn, offsetIn, ...repeat }) => {
  const now = Date.now();
  if (startIn !== undefined) repeat.startDate = now + startIn;
  if (endIn !== undefined) repeat.endDate = now + endIn;
  if (offsetIn !== undefined) repeat.offset = (now + offsetIn) % repeat.every;
  return repeat;
};
const schedulerJson = (found) => {
  if (!found) return null;
  const { template, id, ...fields } = found;
  return { ...fields, data: template?.data ?? null, attempts: template?.opts?.attempts ?? 0 };
};

const steps = {
  add: async (name, data, opts) => (await queue.add(name, data, opts)).id,
  addBulk: async (jobs) => ids(await queue.addBulk(jobs)),
  pause: () => queue.pause(),
  resume: () => queue.resume(),
  isPaused: () => queue.isPaused(),
  clean: async (grace, limit, state) => (await queue.clean(grace, limit, state)).sort(),
  drain: (delayed) => queue.drain(delayed),
  remove: (id) => queue.remove(id).then((removed) => removed === 1),
  removeJob: async (id) => (await job(id)).remove(),
  retry: async (id, state, opts) => (await job(id)).retry(state, opts),
  retryJobs: async (state) => { await queue.retryJobs({ state }); },
  promote: async (id) => (await job(id)).promote(),
  progress: async (id, progress) => (await job(id)).updateProgress(progress),
  updateData: async (id, data) => (await job(id)).updateData(data),
  log: async (id, row) => (await job(id)).log(row),
  logs: (id, start, end, asc) => queue.getJobLogs(id, start, end, asc),
  state: (id) => queue.getJobState(id),
  counts: (...states) => queue.getJobCounts(...states),
  count: () => queue.count(),
  jobs: async (states, start, end, asc) => ids(await queue.getJobs(states, start, end, asc)),
  listing: async (state) => ids(await queue[`get${state}`]()),
  read: async (id) => {
    const found = await queue.getJob(id);
    if (!found) return null;
    const { name, data, progress, returnvalue, attemptsMade, attemptsStarted, delay, priority, failedReason } = found;
    return { id: found.id, name, data, progress, returnvalue, attemptsMade, attemptsStarted, delay, priority,
      failedReason: failedReason ?? null };
  },
  workers: async () => (await queue.getWorkers()).map((w) => ({ name: w.name, rawname: w.rawname })),
  take: async () => {
    held = await worker.getNextJob(TOKEN, { block: false });
    return held ? held.id : null;
  },
  complete: async (value) => { await held.moveToCompleted(value, TOKEN, false); },
  fail: async (reason) => { await held.moveToFailed(new Error(reason), TOKEN, false); },
  upsert: async (id, repeat, template) => (await queue.upsertJobScheduler(id, dated(repeat), template)).id,
  scheduler: async (id) => schedulerJson(await queue.getJobScheduler(id)),
  schedulers: async (...page) => (await queue.getJobSchedulers(...page)).map(schedulerJson),
  schedulersCount: () => queue.getJobSchedulersCount(),
  removeScheduler: (id) => queue.removeJobScheduler(id),
  promoteNext: async () => { await (await queue.getDelayed(0, 0))[0].promote(); },
  removeNext: async (state) => { await (await queue[`get${state}`](0, 0))[0].remove(); },
  redis: async (...command) => { await connection.call(...command); },
};

const results = [];
for (const [name, ...args] of input.steps) {
  try {
    const result = await steps[name](...args);
    results.push(result === undefined ? null : result);
  } catch (error) {
    results.push({ error: error.message });
  }
}
process.stdout.write(JSON.stringify(results));
await worker.close();
await queue.close();
connection.disconnect();
