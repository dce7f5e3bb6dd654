// Steps about one job, by its id.
export const state = ({ queue }, id) => queue.getJobState(id);
export const is = async (world, id, name) => (await world.job(id))[`is${name}`]();
export const read = async ({ queue }, id) => {
  const found = await queue.getJob(id);
  if (!found) return null;
  const { name, data, progress, returnvalue, attemptsMade, attemptsStarted, delay, priority, timestamp } = found;
  return {
    id: found.id, name, data, progress, returnvalue, attemptsMade, attemptsStarted, delay, priority, timestamp,
    failedReason: found.failedReason ?? null,
    processedOn: found.processedOn ?? null,
    finishedOn: found.finishedOn ?? null,
    processedBy: found.processedBy ?? null,
    stalledCounter: found.stalledCounter,
    parentKey: found.parentKey ?? null,
    deduplicationId: found.deduplicationId ?? null,
    repeatJobKey: found.repeatJobKey ?? null,
    deferredFailure: found.deferredFailure ?? null,
    traces: (found.stacktrace ?? []).length,
  };
};
export const removeJob = async (world, id, opts) => (await world.job(id)).remove(opts);
export const retry = async (world, id, from, opts) => (await world.job(id)).retry(from, opts);
export const promote = async (world, id) => (await world.job(id)).promote();
export const progress = async (world, id, value) => (await world.job(id)).updateProgress(value);
export const updateData = async (world, id, data) => (await world.job(id)).updateData(data);
export const log = async (world, id, row) => (await world.job(id)).log(row);
export const logs = ({ queue }, id, start, end, asc) => queue.getJobLogs(id, start, end, asc);
export const clearLogs = async (world, id, keep) => (await world.job(id)).clearLogs(keep);
export const changeDelay = async (world, id, delay) => (await world.job(id)).changeDelay(delay);
export const changePriority = async (world, id, opts) => (await world.job(id)).changePriority(opts);
export const removeOwnDeduplicationKey = async (world, id) => (await world.job(id)).removeDeduplicationKey();
