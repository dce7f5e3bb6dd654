// What npm cron-parser answers, the one that npm bullmq uses.
//
//   node cron_golden.mjs            writes ../cron_expression/golden.json
//   node cron_golden.mjs --answer   JSON list of {expression, tz, start, count, seed?} on stdin -> JSON list of answers
//
// Each run is asked for as BullMQ does: a new parse whose currentDate is the run before. (An iterator of cron-parser's
// keeps more in mind around clock changes and gives other runs there.)
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const fromBullmq = createRequire(createRequire(import.meta.url).resolve('bullmq'));
const { CronExpressionParser } = fromBullmq('cron-parser');

const iso = (ms) => new Date(ms).toISOString().replace('.000Z', 'Z');

// {runs: [...]}, {refused: message}, or {runs: [...], gaveUp: message} where cron-parser's search ended without a run.
function answer({ expression, tz, start, count, seed }) {
  const runs = [];
  let currentDate = new Date(start);
  while (runs.length < count) {
    let search;
    try {
      search = CronExpressionParser.parse(expression, { tz, currentDate, hashSeed: seed });
    } catch (error) {
      return { refused: error.message };
    }
    try {
      currentDate = search.next().toDate();
    } catch (error) {
      return { runs, gaveUp: error.message };
    }
    runs.push(iso(currentDate.getTime()));
  }
  return { runs };
}

// The calendar: no clock is changed here.
const CALENDAR_STARTS = ['2024-02-27T22:58:30Z', '2025-12-30T23:59:59.500Z'];
const CALENDAR = [
  '* * * * *', '*/5 * * * *', '*/7 * * * *', '0 * * * *', '30 * * * *', '0 0 * * *', '59 23 * * *', '0 12 * * MON-FRI',
  '0 9-17 * * 1-5', '0,30 8-10 * * *', '5-20/5 * * * *', '10/20 * * * *', '0 0-23/3 * * *', '15 10 ? * *', '? ? ? ? ?',
  '0 0 1 * *', '0 0 15,L * *', '0 0 L * *', '0 0 L 2 *', '0 0 31 * *', '0 0 30 * *', '0 0 29 2 *', '0 0 28-31 * *',
  '0 0 31 1,3,4 *', '0 0 15L * *', '0 0 1-5L * *', '0 0 */10 * *', '0 0 25/3 * *',
  '0 0 1 JAN *', '0 0 1 jan,Jul *', '0 0 1 */3 *', '0 0 1 4-9/2 *', '0 0 1 FEB-APR *', '0 0 1 mon *',
  '0 0 * * 0', '0 0 * * 7', '0 0 * * SUN', '0 0 * * sat,Sun', '0 0 * * 5-7', '0 0 * * 1/2', '0 0 * * */2', '0 0 * * 6-7',
  '0 0 * * 1L', '0 0 * * 7L', '0 0 * * FRIL', '0 0 * * 1,3L', '0 0 * * 0L,6L', '0 0 * 2 5L', '0 0 * * 1-5L',
  '0 0 * * 1#1', '0 0 * * 5#5', '0 0 * * sun#2', '0 0 * * 7#3', '0 0 * * *#2', '0 0 * * ?#5', '0 0 * 2 4#5', '0 0 * * JUL#2',
  '0 0 13 * 5', '0 0 1,15 * 1', '0 0 31 2 1', '0 0 L * 1', '0 0 L * 5L', '0 0 1 * 3#2', '0 0 */1 * 1', '0 0 1 * 0-6', '0 0 ? * 3',
  '*/10 * * * * *', '0 */15 * * * *', '30 0 0 * * *', '0,30 59 23 31 12 *', '* * * * * *', '5/20 10 4 * * *', '59 59 23 L * *',
  '@yearly', '@annually', '@monthly', '@weekly', '@daily', '@hourly', '@minutely', '@secondly', '@weekdays', '@weekends',
  '5', '10 5', '* * *', '12 3 *', '1-5-9 * * * *', '1* * * * *', '*/5-10 * * * *', '  0\t0  *\n* 1 ', '00 05 * * *', '30,31,15 0 31,31,20 6 *',
];

// Clocks: a start some hours before each change, and one or more within it.
const CLOCKS = [
  ['UTC', ['2024-03-31T00:10:00Z']],
  ['Asia/Kolkata', ['2024-03-30T20:10:00Z', '2024-12-31T18:29:59Z']],
  ['Europe/Paris', ['2024-03-30T20:10:00Z', '2024-03-31T01:10:00Z', '2024-10-26T20:10:00Z', '2024-10-27T00:40:00Z', '2024-10-27T01:10:00Z']],
  ['America/New_York', ['2025-03-08T20:10:00Z', '2025-03-09T07:20:00Z', '2025-11-01T20:10:00Z', '2025-11-02T05:45:00Z', '2025-11-02T06:15:00Z']],
  ['Australia/Sydney', ['2026-04-03T20:10:00Z', '2026-10-02T20:10:00Z']],
  ['Africa/Casablanca', ['2025-02-22T20:10:00Z', '2025-04-05T20:10:00Z']],
  ['America/Sao_Paulo', ['2018-02-17T20:10:00Z', '2018-02-18T01:40:00Z', '2018-11-03T20:10:00Z', '2025-06-01T20:10:00Z']],
  ['Africa/Cairo', ['2024-04-25T15:10:00Z', '2024-10-31T15:10:00Z']],
  ['America/Havana', ['2026-03-07T20:10:00Z', '2026-10-31T20:10:00Z', '2026-11-01T04:30:00Z']],
  ['Atlantic/Azores', ['2025-10-25T20:10:00Z', '2025-10-24T20:10:00Z']],
  ['America/Santiago', ['2025-04-05T20:10:00Z', '2025-09-06T20:10:00Z']],
  ['America/Nuuk', ['2026-03-27T20:10:00Z', '2026-10-23T20:10:00Z']],
  ['Pacific/Chatham', ['2025-04-05T09:10:00Z', '2025-09-27T09:10:00Z']],
];
const ON_THE_CLOCK = [
  '30 2 * * *', '30 1 * * *', '*/20 2 * * *', '15 0 * * *', '0 * * * *', '*/25 1-3 * * *', '30 */2 * * *', '10 0,23 * * *', '45 23 * * *', '*/30 59 1 * * *',
  '30 2 * * 0', '0 0 * * 6,0', '* * * * 7',
];

// Of these pairs, the ones in which cron-parser loses a run, as in DIFFERENT below.
const LOSING = [
  ['30 */2 * * *', 'America/Nuuk', '2026-03-27T20:10:00Z'],
  ['*/25 1-3 * * *', 'Pacific/Chatham', '2025-09-27T09:10:00Z'],
];

// A skipped midnight is noticed by a search that began in the hour before another one, here a year before.
const REMEMBERED = [
  ['48-59/15 0,23 29 mar *', 'Atlantic/Azores', '2025-03-30T00:47:00Z'], ['48-59/15 0,23 29 mar *', 'Atlantic/Azores', '2025-03-30T00:48:00Z'],
  ['48-59/15 0,23 29 mar *', 'Atlantic/Azores', '2025-03-30T01:00:00Z'], ['48-59/15 0,5 29 mar *', 'Atlantic/Azores', '2025-03-30T00:58:00Z'],
];

// Half an hour's change: only what cron-parser gets right. What it does not is below.
const LORD_HOWE = [
  ['15 2 * * *', '2024-10-04T20:10:00Z'], ['45 2 * * *', '2024-10-04T20:10:00Z'], ['30 1 * * *', '2024-10-04T20:10:00Z'],
  ['*/20 1 * * *', '2024-10-05T12:10:00Z'], ['15 0 * * *', '2024-10-04T20:10:00Z'], ['* * * * *', '2024-10-05T15:28:00Z'],
  ['0 12 * * *', '2024-10-04T20:10:00Z'], ['15 1 * * *', '2024-04-08T12:10:00Z'], ['* * * * *', '2024-04-06T14:58:00Z'],
  ['0 0 * * *', '2024-04-05T20:10:00Z'], ['* * * * 0', '2024-04-06T15:28:00Z'], ['30 0 * * 6', '2024-04-01T12:00:00Z'],
];

// Where we differ on purpose; the test holds our answers. cron-parser gives up, or loses or repeats a run.
const DIFFERENT = [
  ['0 * * * *', 'Australia/Lord_Howe', '2024-04-06T13:10:00Z'],
  ['*/10 * * * *', 'Australia/Lord_Howe', '2024-04-06T14:45:00Z'],
  ['*/10 * * * *', 'Australia/Lord_Howe', '2024-10-05T15:05:00Z'],
  ['0 9 * * *', 'Australia/Lord_Howe', '2024-04-06T12:10:00Z'],
  ['30 2 * * *', 'Antarctica/Troll', '2024-10-26T20:10:00Z'],
  ['*/25 1-3 * * *', 'Pacific/Chatham', '2025-09-27T13:05:00Z'],
  ['0 8 * * *', 'America/Nuuk', '2026-03-28T01:10:00Z'],
  ['30 22 * * *', 'America/Nuuk', '2026-03-27T20:10:00Z'],
];

const HASHED = [
  ['H * * * *', 'nightly-report'], ['H H * * *', 'nightly-report'], ['H H H H H H', 'a'], ['H/15 * * * *', 'b'], ['H(10-20) H(1-5) * * *', 'c'],
  ['H(0-29)/10 * * * *', 'd'], ['0 0 H(1-28) * *', 'e'], ['0 0 * * H', 'f'], ['0 0 * * H#2', 'g'], ['H(0-40)/60 * * * *', 'h'], ['0 0 H(0-5) * *', 'i'],
  ['H,H(1-3) * * * *', 'j'], ['0 H/7 * * *', 'München 🚀'], ['H(1-5)/10 * * * *', 'k'], ['H 0-H * * *', 'l'], ['0 0 * H *', 'm'],
];

const REFUSED = [
  'x', '@reboot', '@Daily', ' @daily', '@every 5m', '   ', '* * * * * * *', '0 0 0 1 1 * 2025', 'every day',
  '60 * * * *', '-1 * * * *', '* 24 * * *', '* * 0 * *', '* * 32 * *', '* * * 0 *', '* * * 13 *', '* * * * 8', '61 * * * * *',
  '5-1 * * * *', '0-60 * * * *', '-5 * * * *', '5- * * * *', '* 22-2 * * *', '* * * NOV-FEB *', '* * * * FRI-MON', '* * 1-32 * *',
  '*/0 * * * *', '*/ * * * *', '/5 * * * *', '1/2/3 * * * *', '*/-5 * * * *', '*/x * * * *', '1.5 * * * *', '+5 * * * *',
  ', * * * *', '1,,2 * * * *', '1, * * * *', ',1 * * * *', '1,1 * * * *', '1,1-3 * * * *', '*,5 * * * *', '* * * * 0,7', '* * * * 5-7,SUN', '5,05 * * * *',
  'MON * * * *', '* * * JANUARY *', '* * * * MONDAY', '* * * * XYZ', '* * * sun *', '* * * * mo',
  'L * * * *', '* L * * *', '* * * L *', '* * * * L', '* * L-3 * *', '* * LW * *', '* * 15W * *', '* * W * *', '* * * * L5', '* * * * 5l', '* * l * *', '* * L,L * *', '* * 1-L * *',
  '* * * * 5#0', '* * * * 5#6', '* * * * 5#', '* * * * #2', '* * * * 5#2#3', '* * * * 1#1,2#2', '* * * * 1-5#2', '* * * * 8#1', '* * 5#2 * *', '* * * * L#2',
  '0 0 30 2 *', '0 0 31 2 *', '0 0 31 4 *', '0 0 30,31 FEB *', '0 0 31 NOV ?', '** * * * *', '*1 * * * *', '* * * * 1*', '& * * * *', '٥ * * * *',
  'h * * * *', 'H/0 * * * *', 'H(5-1) * * * *', 'H(1-5)/0 * * * *', 'H(60-70) * * * *', 'H(1 * * * *', `${'1,'.repeat(600)}2 * * * *`, `${' '.repeat(1020)}* * * * *`,
];

// cron-parser takes them, then never finds a run: a scheduler that ends in silence. We refuse them.
const NEVER = ['0 0 31 2,4,6 *', '0 0 31 6,9,11 *', '* * * * 5#1.5'];

const REFUSED_ZONES = ['Mars/Phobos', '', 'Europe', 'Europe/Paris ', 'posix/Europe/Paris', 'right/UTC', 'Factory', 'localtime', 'GMT+2', 'utc+3:5', 'Z'];
const ZONE_NAMES = ['utc', 'gmt', 'UTC+3', 'utc-03:30', 'UTC+14', 'europe/paris', 'US/PACIFIC', 'Etc/GMT+3', 'Asia/Calcutta'];

function cases() {
  const list = [];
  const add = (expression, tz, start, more = {}) => list.push({ expression, tz, start, count: 5, ...more });
  CALENDAR.forEach((expression, index) => add(expression, 'UTC', CALENDAR_STARTS[index % CALENDAR_STARTS.length]));
  for (const [tz, starts] of CLOCKS)
    for (const start of starts)
      for (const expression of ON_THE_CLOCK)
        if (!LOSING.some((losing) => losing.join() === [expression, tz, start].join())) add(expression, tz, start);
  for (const [expression, tz, start] of REMEMBERED) add(expression, tz, start);
  for (const [expression, start] of LORD_HOWE) add(expression, 'Australia/Lord_Howe', start);
  for (const [expression, seed] of HASHED) add(expression, 'UTC', CALENDAR_STARTS[0], { seed });
  for (const tz of ZONE_NAMES) add('0 9 * * *', tz, CALENDAR_STARTS[0]);
  return list;
}

function must(condition, message) {
  if (!condition) throw new Error(message);
}

function golden() {
  const runs = cases().map((asked) => {
    const given = answer(asked);
    must(given.runs?.length === asked.count, `${JSON.stringify(asked)}: ${JSON.stringify(given)}`);
    const { count, ...question } = asked;
    return { ...question, runs: given.runs };
  });
  const ask = (expression, tz) => answer({ expression, tz, start: CALENDAR_STARTS[0], count: 1 });
  for (const expression of REFUSED) must(ask(expression, 'UTC').refused, `${expression} is taken`);
  for (const expression of NEVER) must(ask(expression, 'UTC').gaveUp, `${expression} runs`);
  for (const tz of REFUSED_ZONES) must(ask('* * * * *', tz).refused, `zone ${tz} is taken`);
  const different = DIFFERENT.map(([expression, tz, start]) => ({ expression, tz, start, ...answer({ expression, tz, start, count: 3 }) }));
  return { runs, different, refused: REFUSED, never: NEVER, refusedZones: REFUSED_ZONES };
}

// One case a line, so that a change shows in a diff as what it is.
function written(tables) {
  const lines = (list) => `[\n${list.map((entry) => `    ${JSON.stringify(entry)}`).join(',\n')}\n  ]`;
  const version = fromBullmq('cron-parser/package.json').version;
  const parts = Object.entries(tables).map(([name, list]) => `  "${name}": ${lines(list)}`);
  return `{\n  "cronParser": ${JSON.stringify(version)},\n${parts.join(',\n')}\n}\n`;
}

if (process.argv[2] === '--answer') {
  console.log(JSON.stringify(JSON.parse(readFileSync(0, 'utf8')).map(answer)));
} else {
  const target = new URL('../cron_expression/golden.json', import.meta.url);
  const tables = golden();
  writeFileSync(target, written(tables));
  console.log(`${tables.runs.length} cases with runs, ${tables.refused.length} refused expressions -> ${target.pathname}`);
}
