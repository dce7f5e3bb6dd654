// Steps about a whole queue: adding, looking, tidying up.
import { ids } from '../world.mjs';

export const use = (world, name, options) => world.use(name, options);
export const redis = async ({ connection }, ...command) => { await connection.call(...command); };

export const add = async ({ queue }, name, data, opts) => (await queue.add(name, data, opts)).id;
export const addBulk = async ({ queue }, jobs) => ids(await queue.addBulk(jobs));

export const pause = ({ queue }) => queue.pause();
export const resume = ({ queue }) => queue.resume();
export const isPaused = ({ queue }) => queue.isPaused();
export const clean = ({ queue }, grace, limit, state) => queue.clean(grace, limit, state);
export const drain = ({ queue }, delayed) => queue.drain(delayed);
export const removeOrphanedJobs = ({ queue }, ...args) => queue.removeOrphanedJobs(...args);
export const obliterate = ({ queue }, opts) => queue.obliterate(opts);
export const remove = async ({ queue }, id, opts) => (await queue.remove(id, opts)) === 1;
export const retryJobs = async ({ queue }, state, opts) => { await queue.retryJobs({ state, ...opts }); };
export const promoteJobs = ({ queue }, opts) => queue.promoteJobs(opts);
export const trimEvents = ({ queue }, length) => queue.trimEvents(length);

export const counts = ({ queue }, ...states) => queue.getJobCounts(...states);
export const countOf = ({ queue }, ...states) => queue.getJobCountByTypes(...states);
export const count = ({ queue }) => queue.count();
export const stateCounts = async ({ queue }) => Promise.all([
  queue.getWaitingCount(), queue.getActiveCount(), queue.getPrioritizedCount(), queue.getDelayedCount(),
  queue.getWaitingChildrenCount(), queue.getCompletedCount(), queue.getFailedCount(),
]);
export const delayedCount = ({ queue }, timestamp) => queue.getDelayedCount(timestamp);
export const countsPerPriority = ({ queue }, priorities) => queue.getCountsPerPriority(priorities);
export const jobs = async ({ queue }, states, start, end, asc) => ids(await queue.getJobs(states, start, end, asc));
export const ranges = ({ queue }, states, start, end, asc) => queue.getRanges(states, start, end, asc);
export const listing = async ({ queue }, state, start, end) => ids(await queue[`get${state}`](start, end));
export const metrics = async ({ queue }, kind, start, end) => {
  const { meta, data, count: points } = await queue.getMetrics(kind, start, end);
  return { total: meta.count, prevTotal: meta.prevCount, data, points };
};
export const prometheus = ({ queue }, labels) => queue.exportPrometheusMetrics(labels);
export const workers = async ({ queue }) => (await queue.getWorkers()).map(({ name, rawname }) => ({ name, rawname }));
export const queueEvents = async ({ queue }) => (await queue.getQueueEvents()).map(({ rawname }) => rawname);
export const workersCount = ({ queue }) => queue.getWorkersCount();
export const deduplicationJobId = ({ queue }, id) => queue.getDeduplicationJobId(id);
export const removeDeduplicationKey = async ({ queue }, id) => (await queue.removeDeduplicationKey(id)) === 1;
export const updateJobProgress = ({ queue }, id, progress) => queue.updateJobProgress(id, progress);
export const addJobLog = ({ queue }, id, row, keepLogs) => queue.addJobLog(id, row, keepLogs);
