// npm bullmq: the same conversation as protocol.py. node bullmq.mjs <folder with node_modules> producer|worker
import { createRequire } from "node:module";
import { performance } from "node:perf_hooks";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const [folder, role] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { Queue, Worker } = require("bullmq");

const PAYLOAD = { email: "user@example.com", subject: "Welcome!", body: "Thank you for registering" };
const PRIORITIES = 1000;
const CHUNK_JOBS = 1000;

const say = (what, facts = {}) => process.stdout.write(`@bench ${JSON.stringify({ say: what, ...facts })}\n`);
const cpuSeconds = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
const rssMb = () => process.resourceUsage().maxRSS / 1024;
// performance.now() is finer than Date.now(), whose step of 1 ms is more than some latencies
const nowNs = () => (performance.timeOrigin + performance.now()) * 1e6;
const connectionOf = (order) => ({ url: order.url, maxRetriesPerRequest: null });
const optionsOf = (order, number) => ({
  ...(order.keep ? {} : { removeOnComplete: true }),
  ...(order.prioritised ? { priority: (number % PRIORITIES) + 1 } : {}),
});

const burn = (us) => {
  const begun = cpuSeconds();
  while ((cpuSeconds() - begun) * 1e6 < us);
};

const steps = {
  async fill(queue, order, jobs) {
    for (let begin = 0; begin < jobs; begin += CHUNK_JOBS) {
      const length = Math.min(CHUNK_JOBS, jobs - begin);
      await queue.addBulk(
        Array.from({ length }, (_, i) => ({ name: "welcome-email", data: PAYLOAD, opts: optionsOf(order, begin + i) })),
      );
    }
  },
  async add(queue, order, jobs) {
    for (let i = 0; i < jobs; i++) await queue.add("welcome-email", PAYLOAD, optionsOf(order, i));
  },
  async pace(queue, order, jobs) {
    for (let i = 0; i < jobs; i++) {
      await sleep(order.gap_ms);
      await queue.add("welcome-email", { ...PAYLOAD, sent_ns: nowNs() }, optionsOf(order, i));
    }
  },
};
steps.bulk = steps.fill;

async function produce(order) {
  const queue = new Queue(order.queue, { connection: connectionOf(order) });
  await queue.waitUntilReady();
  const step = steps[order.do];
  await step(queue, order, order.warm);
  say("ready");
  const begun = performance.now();
  const begunCpu = cpuSeconds();
  await step(queue, order, order.jobs);
  say("done", { seconds: (performance.now() - begun) / 1000, cpu_s: cpuSeconds() - begunCpu, rss_mb: rssMb() });
  await queue.close();
}

async function work(order) {
  let number = 0;
  let begun = performance.now();
  let begunCpu = cpuSeconds();
  const late = [];
  let finish;
  const finished = new Promise((resolve) => (finish = resolve));
  const worker = new Worker(
    order.queue,
    async (job) => {
      number += 1;
      if (job.data.sent_ns !== undefined) late.push((nowNs() - job.data.sent_ns) / 1e6);
      if (number === order.warm) {
        say("ready");
        begunCpu = cpuSeconds();
        begun = performance.now();
      } else if (number === order.warm + order.jobs) {
        const seconds = (performance.now() - begun) / 1000;
        say("done", { seconds, cpu_s: cpuSeconds() - begunCpu, rss_mb: rssMb(), late_ms: late });
        if (!order.stays) finish();
      }
      if (order.burn_us && number > order.warm) burn(order.burn_us);
      if (order.handler_ms) await sleep(order.handler_ms);
    },
    { connection: connectionOf(order), concurrency: order.concurrency },
  );
  worker.on("error", (error) => console.error(error));
  if (order.stays) process.stdin.once("end", finish);
  await finished;
  await worker.close();
}

const versionOf = (name) => require(`${folder}/node_modules/${name}/package.json`).version;
say("hello", { versions: { node: process.versions.node, bullmq: versionOf("bullmq"), ioredis: versionOf("ioredis") } });
for await (const line of createInterface({ input: process.stdin })) {
  if (role === "worker") {
    await work(JSON.parse(line));
    break;
  }
  await produce(JSON.parse(line));
}
process.exit(0);
