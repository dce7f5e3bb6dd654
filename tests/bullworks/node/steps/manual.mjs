// Steps of somebody who takes jobs and ends them by hand.
import { UnrecoverableError } from 'bullmq';
import { TOKEN } from '../world.mjs';

export const worker = async (world, options) => { await world.worker(options); };
export const take = async (world, token = TOKEN) => world.hold(await (await world.worker()).getNextJob(token, { block: false }));

// Where the next job was asked for: its id.
const next = async (world, token, answer) => {
  if (!Array.isArray(answer)) return null;
  return world.hold(await (await world.worker()).nextJobFromJobData(answer[0], answer[1], token));
};
export const complete = async (world, value, { job, token = TOKEN, fetchNext = false } = {}) =>
  next(world, token, await world.taken(job).moveToCompleted(value, token, fetchNext));
export const fail = async (world, reason, { job, token = TOKEN, fetchNext = false } = {}) =>
  next(world, token, await world.taken(job).moveToFailed(new Error(reason), token, fetchNext));
export const failForGood = async (world, reason, { job, token = TOKEN } = {}) => {
  await world.taken(job).moveToFailed(new UnrecoverableError(reason), token, false);
};
export const moveToDelayed = async (world, timestamp, { job, token = TOKEN } = {}) => world.taken(job).moveToDelayed(timestamp, token);
export const moveToWait = async (world, { job, token = TOKEN } = {}) => { await world.taken(job).moveToWait(token); };
export const moveToWaitingChildren = async (world, { job, token = TOKEN, child } = {}) =>
  world.taken(job).moveToWaitingChildren(token, child ? { child } : {});
export const extendLock = async (world, duration, { job, token = TOKEN } = {}) => (await world.taken(job).extendLock(token, duration)) === 1;
// moveStalledJobsToWait is what a worker's timer calls; there is no public name for it.
export const stalledCheck = async (world) => { await (await world.worker()).moveStalledJobsToWait(); };
export const held = ({ last }) => ({
  delay: last.delay, attemptsMade: last.attemptsMade, failedReason: last.failedReason ?? null,
  returnvalue: last.returnvalue, isFinished: Boolean(last.finishedOn),
});
// What the worker by hand has told its listeners.
export const heard = ({ heard }) => heard;
