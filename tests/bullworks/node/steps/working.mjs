// A real worker. What its handler does stands in the job: data.acts, for each attempt a list of [verb, argument].
import { setTimeout as sleep } from 'node:timers/promises';
import { DelayedError, RateLimitError, UnrecoverableError, WaitingChildrenError, WaitingError, Worker } from 'bullmq';

const DEADLINE_MS = 8000;

const VERBS = {
  throw: (_, job, message) => { throw new Error(message); },
  unrecoverable: (_, job, message) => { throw new UnrecoverableError(message); },
  progress: (_, job, value) => job.updateProgress(value),
  log: (_, job, row) => job.log(row),
  updateData: (_, job, data) => job.updateData({ ...job.data, ...data }),
  redis: (world, job, command) => world.connection.call(...command),
  removeSelf: async ({ queue }, job) => { await queue.remove(job.id); },
  delay: async (_, job, ms, token) => { await job.moveToDelayed(Date.now() + ms, token); throw new DelayedError(); },
  wait: async (_, job, __, token) => { await job.moveToWait(token); throw new WaitingError(); },
  waitForChildren: async (_, job, __, token) => {
    if (await job.moveToWaitingChildren(token)) throw new WaitingChildrenError();
  },
  stay: (_, job, ms) => sleep(ms),
  watch: (_, job, __, token, signal) => new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error(`told: ${signal.reason}`)));
  }),
  rateLimit: async ({ queue }, job, ms) => { await queue.rateLimit(ms); throw new RateLimitError(); },
  child: async ({ queues }, job, [queue, id, opts]) => {
    const parent = { id: job.id, queue: job.queueQualifiedName };
    await queues.get(queue).add(id, {}, { jobId: id, ...opts, parent });
  },
};

async function handle(world, job, token, signal) {
  for (const [verb, argument] of job.data?.acts?.[job.attemptsStarted - 1] ?? []) {
    if (verb === 'return') return argument;
    await VERBS[verb](world, job, argument, token, signal);
  }
  return job.name;
}

// Works until each job is in the state that it is to reach: [[id, state], ...], or [queue, id, state]; `over`: it has ended.
// Options besides the worker's: backoffs, what its strategy answers; cancel, the id of a job to cancel once it runs.
export const work = async (world, options, until) => {
  const { queue } = world;
  const settings = options.backoffs ? { backoffStrategy: (attempts) => options.backoffs[attempts - 1] } : undefined;
  const { backoffs, cancel, ...rest } = options;
  const worker = new Worker(queue.name, (job, token, signal) => handle(world, job, token, signal), {
    ...world.options, name: 'worker-1', settings, ...rest,
  });
  worker.on('error', () => {});
  const deadline = Date.now() + DEADLINE_MS;
  try {
    while (cancel && !worker.cancelJob(cancel, 'enough')) await sleep(3);
    for (const aim of until) {
      const [name, id, state] = aim.length === 3 ? aim : [queue.name, ...aim];
      for (;;) {
        const seen = await world.queues.get(name).getJobState(id);
        if (seen === state || (state === 'over' && ['completed', 'failed'].includes(seen))) break;
        if (Date.now() > deadline) throw new RangeError(`job ${id} is ${seen}, not ${state}`);
        await sleep(3);
      }
    }
  } finally {
    await worker.close();
  }
  // Who waits for work takes the marker: whether it closed before or after that is chance.
  await world.connection.del(queue.toKey('marker'));
};
