// Runs steps of processing by hand, of limits and of counts with npm bullmq, as tests/compat/processing.py does with ours.
// In: {url, prefix, queue, steps: [[name, ...arguments], ...]} as JSON on stdin. Out: a JSON list of results.
import {
  DelayedError, Queue, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError, Worker,
} from 'bullmq';
import IORedis from 'ioredis';

const TOKEN = 'token';
const LONGEST_MS = 8000;

const input = JSON.parse(await new Response(process.stdin).text());
const connection = new IORedis(input.url, { maxRetriesPerRequest: null });
const queue = new Queue(input.queue, { connection, prefix: input.prefix });
await queue.waitUntilReady();
let worker;
let held = null;

const byHand = async (options = {}) => {
  await worker?.close();
  worker = new Worker(input.queue, null, {
    connection, prefix: input.prefix, name: 'worker-1', lockDuration: 30000, ...options,
  });
  await worker.waitUntilReady();
};
const job = async (id) => {
  const found = await queue.getJob(id);
  if (!found) throw new Error(`no job ${id}`);
  return found;
};
const next = (data) => (data && data[0] ? data[1] : null);
const until = async (what) => {
  const end = Date.now() + LONGEST_MS;
  while (!(await what())) {
    if (Date.now() > end) throw new Error('not in time');
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
const childOf = (id) => ({ id, queue: `${input.prefix}:${input.queue}` });

// What handlers do; all but `plain` with their first attempt only.
const handlers = {
  plain: async () => 'done',
  delays: async (job, token) => { await job.moveToDelayed(Date.now() + 50, token); throw new DelayedError(); },
  waits: async (job, token) => { await job.moveToWait(token); throw new WaitingError(); },
  limits: async () => { await queue.rateLimit(60); throw new RateLimitError(); },
  unrecoverable: async () => { throw new UnrecoverableError('never'); },
  fails: async () => { throw new Error('boom'); },
  waitsForChildren: async (job, token) => {
    if (job.name === 'child') return 'child';
    await queue.add('child', {}, { parent: childOf(job.id), jobId: 'child-1' });
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
    return 'no children';
  },
  watches: (job, token, signal) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`told: ${signal.reason}`)));
  }),
};

const steps = {
  byHand,
  add: async (name, data, opts) => (await queue.add(name, data, opts)).id,
  addChild: async (parent, opts) => (await queue.add('child', {}, { ...opts, parent: childOf(parent) })).id,
  pause: () => queue.pause(),
  resume: () => queue.resume(),
  state: (id) => queue.getJobState(id),
  counts: (...states) => queue.getJobCounts(...states),
  redis: async (...command) => { await connection.call(...command); },
  take: async (token = TOKEN) => {
    held = await worker.getNextJob(token, { block: false });
    return held ? held.id : null;
  },
  complete: async (value, fetchNext = false, token = TOKEN) => next(await held.moveToCompleted(value, token, fetchNext)),
  fail: async (reason, fetchNext = false, token = TOKEN) => next(await held.moveToFailed(new Error(reason), token, fetchNext)),
  failForGood: async (reason) => { await held.moveToFailed(new UnrecoverableError(reason), TOKEN, false); },
  delayBy: async (ms, token = TOKEN) => { await held.moveToDelayed(Date.now() + ms, token); },
  toWait: async (token = TOKEN) => { await held.moveToWait(token); },
  toWaitingChildren: (child, token = TOKEN) => held.moveToWaitingChildren(token, child ? { child: childOf(child) } : {}),
  extendLock: async (ms, token = TOKEN) => (await held.extendLock(token, ms)) === 1,
  heldFields: () => ({
    delay: held.delay, attemptsMade: held.attemptsMade, failedReason: held.failedReason ?? null,
    returnvalue: held.returnvalue, isFinished: !!held.finishedOn,
  }),
  checkStalled: async () => { await worker.moveStalledJobsToWait(); },
  changePriority: async (id, opts) => (await job(id)).changePriority(opts),
  changeDelay: async (id, ms) => (await job(id)).changeDelay(ms),
  promoteJobs: (count = 1000) => queue.promoteJobs({ count }),
  obliterate: (force = false, count = 1000) => queue.obliterate({ force, count }),
  is: async (id) => {
    const found = await job(id);
    const states = ['Completed', 'Failed', 'Delayed', 'Active', 'Waiting', 'WaitingChildren'];
    return Promise.all(states.map((state) => found[`is${state}`]()));
  },
  rateLimit: (ms) => queue.rateLimit(ms),
  workerRateLimit: (ms) => worker.rateLimit(ms),
  limitTtl: async (max) => { const ttl = await queue.getRateLimitTtl(max); return ttl > 0 ? 'some' : ttl; },
  removeRateLimitKey: async () => (await queue.removeRateLimitKey()) === 1,
  setGlobalRateLimit: async (max, duration) => { await queue.setGlobalRateLimit(max, duration); },
  getGlobalRateLimit: () => queue.getGlobalRateLimit(),
  removeGlobalRateLimit: async () => (await queue.removeGlobalRateLimit()) > 0,
  setGlobalConcurrency: async (concurrency) => { await queue.setGlobalConcurrency(concurrency); },
  getGlobalConcurrency: () => queue.getGlobalConcurrency(),
  removeGlobalConcurrency: async () => (await queue.removeGlobalConcurrency()) > 0,
  isMaxed: () => queue.isMaxed(),
  meta: async () => { const { version, ...meta } = await queue.getMeta(); return meta; },
  countByTypes: (...states) => queue.getJobCountByTypes(...states),
  countsOfEach: () => Promise.all(
    ['Completed', 'Failed', 'Delayed', 'Active', 'Prioritized', 'Waiting', 'WaitingChildren'].map(
      (state) => queue[`get${state}Count`](),
    ),
  ),
  delayedCount: (timestamp) => queue.getDelayedCount(timestamp),
  countsPerPriority: (priorities) => queue.getCountsPerPriority(priorities),
  ranges: (states, start, end, asc) => queue.getRanges(states, start, end, asc),
  waitingChildren: async () => (await queue.getWaitingChildren()).map((found) => found.id),
  metrics: async (kind, start, end) => {
    const { meta, data, count } = await queue.getMetrics(kind, start, end);
    return { total: meta.count, prevTotal: meta.prevCount, data, count };
  },
  agePoint: async (kind, ms) => {
    const key = `${input.prefix}:${input.queue}:metrics:${kind}`;
    await connection.hincrby(key, 'prevTS', -ms);
  },
  prometheus: (labels) => queue.exportPrometheusMetrics(labels),
  updateJobProgress: (id, progress) => queue.updateJobProgress(id, progress),
  addJobLog: (id, row, keep) => queue.addJobLog(id, row, keep),
  clearLogs: async (id, keep) => (await job(id)).clearLogs(keep),
  run: async (handler, options = {}, ended = 1, cancel = null) => {
    const process = handlers[handler];
    const runner = new Worker(
      input.queue,
      handler === 'watches'
        ? (job, token, signal) => (job.attemptsStarted > 1 ? 'done' : process(job, token, signal))
        : (job, token) => (job.attemptsStarted > 1 && handler !== 'fails' ? 'done' : process(job, token)),
      { connection: connection.duplicate(), prefix: input.prefix, name: 'worker-1', drainDelay: 1, skipStalledCheck: true, ...options },
    );
    try {
      if (cancel) await until(() => runner.cancelJob(cancel, 'enough'));
      await until(async () => (await queue.getJobCountByTypes('completed', 'failed')) >= ended);
      await until(async () => (await queue.getActiveCount()) === 0);
    } finally {
      await runner.close();
    }
  },
};

await byHand();
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
process.exit(0);
