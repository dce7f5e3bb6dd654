// Plays scenarios with npm bullmq, one a line, until stdin ends; tests/bullworks/compat/player.py does the same with ours.
// In: {url, prefix, steps: [[name, ...arguments], ...]}. Out: {answers}, or {broken} where a scenario itself is at fault.
import { createInterface } from 'node:readline';
import { World } from './world.mjs';
import * as flows from './steps/flows.mjs';
import * as jobs from './steps/jobs.mjs';
import * as limits from './steps/limits.mjs';
import * as manual from './steps/manual.mjs';
import * as queues from './steps/queues.mjs';
import * as schedulers from './steps/schedulers.mjs';
import * as working from './steps/working.mjs';

const STEPS = { ...flows, ...jobs, ...limits, ...manual, ...queues, ...schedulers, ...working };

// What Node itself throws at a mistake in a step; bullmq's own errors are plain ones.
const MISTAKES = new Set(['TypeError', 'ReferenceError', 'SyntaxError', 'RangeError']);

async function play(world, [name, ...args]) {
  if (!STEPS[name]) throw new ReferenceError(`no step ${name}`);
  try {
    const answer = await STEPS[name](world, ...world.dated(args));
    return answer === undefined ? null : answer;
  } catch (error) {
    if (MISTAKES.has(error.name)) throw error;
    return { error: error.code ?? null, message: error.message };
  }
}

async function scenario({ url, prefix, steps }) {
  const world = await World.open(url, prefix);
  try {
    const answers = [];
    for (const step of steps) answers.push(await play(world, step));
    return { answers };
  } catch (error) {
    return { broken: error.stack };
  } finally {
    await world.close();
  }
}

for await (const line of createInterface({ input: process.stdin })) console.log(JSON.stringify(await scenario(JSON.parse(line))));
process.exit(0);
