// Steps about what the whole fleet may start and run.
export const rateLimit = ({ queue }, ms) => queue.rateLimit(ms);
export const rateLimitTtl = async ({ queue }, max) => {
  const ttl = await queue.getRateLimitTtl(max);
  return ttl > 0 ? '> 0' : ttl;
};
export const removeRateLimitKey = async ({ queue }) => (await queue.removeRateLimitKey()) === 1;
export const setGlobalRateLimit = async ({ queue }, max, duration) => { await queue.setGlobalRateLimit(max, duration); };
export const getGlobalRateLimit = ({ queue }) => queue.getGlobalRateLimit();
export const removeGlobalRateLimit = async ({ queue }) => (await queue.removeGlobalRateLimit()) > 0;
export const setGlobalConcurrency = async ({ queue }, concurrency) => { await queue.setGlobalConcurrency(concurrency); };
export const getGlobalConcurrency = ({ queue }) => queue.getGlobalConcurrency();
export const removeGlobalConcurrency = async ({ queue }) => (await queue.removeGlobalConcurrency()) > 0;
export const isMaxed = ({ queue }) => queue.isMaxed();
export const meta = async ({ queue }) => {
  const { version, paused, concurrency, max, duration, maxLenEvents } = await queue.getMeta();
  return {
    paused: Boolean(paused), concurrency: concurrency ?? null, max: max ?? null, duration: duration ?? null,
    maxLenEvents: maxLenEvents ?? null,
  };
};
export const workerRateLimit = async (world, ms) => (await world.worker()).rateLimit(ms);
