// World: the queues, workers and flow producer of one scenario, made as its steps name them.
import { FlowProducer, Queue, Worker } from 'bullmq';
import IORedis from 'ioredis';

export const TOKEN = 'token';

export class World {
  static async open(url, prefix) {
    const world = new World();
    world.prefix = prefix;
    world.connection = new IORedis(url, { maxRetriesPerRequest: null });
    world.options = { connection: world.connection, prefix };
    world.queues = new Map();
    world.workers = new Map();
    world.held = new Map();
    world.heard = [];
    world.last = null;
    await world.use('q');
    return world;
  }

  // From now on steps are about this queue.
  async use(name, options) {
    if (!this.queues.has(name)) {
      const queue = new Queue(name, { ...this.options, ...options });
      await queue.waitUntilReady();
      this.queues.set(name, queue);
    }
    this.queue = this.queues.get(name);
  }

  // The worker that takes jobs of the present queue by hand; `options` make a new one.
  async worker(options) {
    const name = this.queue.name;
    if (options || !this.workers.has(name)) {
      await this.workers.get(name)?.close();
      const worker = new Worker(name, null, { ...this.options, name: 'worker-1', ...options });
      worker.on('error', () => {});
      worker.on('active', (job, prev) => this.heard.push(['active', job.id, prev]));
      await worker.waitUntilReady();
      this.workers.set(name, worker);
    }
    return this.workers.get(name);
  }

  get flows() {
    this.producer ??= new FlowProducer(this.options);
    return this.producer;
  }

  async job(id) {
    const found = await this.queue.getJob(id);
    if (!found) throw Object.assign(new Error(`no job ${id}`), { code: -1 });
    return found;
  }

  // The job that was taken last, or the one of that id, which may be gone by now.
  taken(id) {
    return id ? this.held.get(id) : this.last;
  }

  hold(job) {
    if (!job) return null;
    this.held.set(job.id, job);
    this.last = job;
    return job.id;
  }

  // {now: ms} in a step's arguments is a time so far from now.
  dated(value) {
    if (Array.isArray(value)) return value.map((part) => this.dated(part));
    if (value === null || typeof value !== 'object') return value;
    if (Object.keys(value).join() === 'now') return Date.now() + value.now;
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, this.dated(part)]));
  }

  async close() {
    for (const worker of this.workers.values()) await worker.close();
    for (const queue of this.queues.values()) await queue.close();
    await this.producer?.close();
    this.connection.disconnect();
  }
}

export const ids = (jobs) => jobs.map((job) => job.id);
