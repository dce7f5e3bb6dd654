// Steps about job schedulers.

// A repeat option that counts from now: {startIn, endIn} in ms, and {offsetIn}, the offset of a slot so far ahead.
const dated = ({ startIn, endIn, offsetIn, ...repeat }) => {
  const now = Date.now();
  if (startIn !== undefined) repeat.startDate = now + startIn;
  if (endIn !== undefined) repeat.endDate = now + endIn;
  if (offsetIn !== undefined) repeat.offset = (now + offsetIn) % repeat.every;
  return repeat;
};
const described = (found) => {
  if (!found) return null;
  const { template, id, ...fields } = found;
  return { ...fields, data: template?.data ?? null, attempts: template?.opts?.attempts ?? 0 };
};

export const upsert = async ({ queue }, id, repeat, template) => {
  const job = await queue.upsertJobScheduler(id, dated(repeat), template);
  if (!job) throw new Error('there is no run'); // Node answers undefined where ours raises
  return job.id;
};
export const scheduler = async ({ queue }, id) => described(await queue.getJobScheduler(id));
export const schedulers = async ({ queue }, ...page) => (await queue.getJobSchedulers(...page)).map(described);
export const schedulersCount = ({ queue }) => queue.getJobSchedulersCount();
export const removeScheduler = ({ queue }, id) => queue.removeJobScheduler(id);
// The ids of a scheduler's jobs hold times: the next of a state is the only one there, or the first.
export const promoteNext = async ({ queue }) => { await (await queue.getDelayed(0, 0))[0].promote(); };
export const removeNext = async ({ queue }, state) => { await (await queue[`get${state}`](0, 0))[0].remove(); };
