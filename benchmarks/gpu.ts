// Measures one GPU, alternating between peers and us, with the most important items first:
// npx tsx benchmarks/gpu.ts --minutes 8 [--results gpu-results.json] [--bundles FOLDER] [--dry-run | --tables]
// See docs/performance.md, "Measure a GPU".

import { parseArgs } from 'node:util';
import { UserError } from '../domain/user-error.ts';
import type { Device } from '../models/pixart/index.ts';
import { machine } from './bench/machine.ts';
import { say } from './bench/part.ts';
import { Budget } from './gpu/budget.ts';
import { machineOf } from './gpu/device.ts';
import { writeTables } from './gpu/document.ts';
import { itemsOf, REAL, TOY, withoutPeers } from './gpu/items.ts';
import { find } from './gpu/needs.ts';
import { checkMachine, noResults, type Results, readResults, writeResults } from './gpu/results.ts';
import { Rig } from './gpu/rig.ts';
import { listText, runList, stateOf } from './gpu/run-list.ts';
import { goalTable } from './gpu/tables.ts';

const HELP = `usage: npx tsx benchmarks/gpu.ts [--minutes 8] [--results gpu-results.json] [--bundles gpu-kit/bundles] [--device cuda:0]

--minutes        time limit; items that do not fit are left for the next run
--results        file of figures; a run resumes from it
--bundles        folder made by "benchmarks/gpu-kit.ts bundles"
--python         a Python with torch, diffusers and transformers; default: python3
--without-peers  measure pixart-batch only
--dry-run        print the list of items, and what is missing
--tables         write the tables of the results file into docs/performance.md
--toy            tiny networks; with --device cpu, a trial without a GPU

exit code: 0 everything is measured, 1 an item failed, 2 wrong options, 3 something is missing, 4 time ran out
`;

const FAILED = 1;
const MISUSED = 2;
const MISSING = 3;
const UNFINISHED = 4;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '8' },
    results: { type: 'string', default: 'gpu-results.json' },
    bundles: { type: 'string', default: 'gpu-kit/bundles' },
    device: { type: 'string', default: 'cuda:0' },
    python: { type: 'string', default: 'python3' },
    'without-peers': { type: 'boolean', default: false },
    'dry-run': { type: 'boolean', default: false },
    tables: { type: 'boolean', default: false },
    toy: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const scale = values.toy ? TOY : REAL;
const all = itemsOf(scale);
const items = values['without-peers'] ? withoutPeers(all) : all;

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  console.error(error.message);
  process.exitCode = MISUSED;
}
// An abandoned call may still be running.
process.exit();

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { bundles, python, toy: isToy } = values;
  const device = deviceOf(values.device);
  const minutes = minutesOf(values.minutes);
  const before = await readResults(values.results);
  if (values.tables) return tables(before);
  const found = find({ device, bundles, python, isToy, hasPeers: !values['without-peers'] });
  if (values['dry-run']) console.log(listText(items, before));
  for (const line of found.missing) console.error(`missing: ${line}`);
  if (values['dry-run'] || found.missing.length > 0) return found.missing.length > 0 ? MISSING : 0;

  const here = machineOf(device, found.gpu, isToy);
  if (before !== null) checkMachine(values.results, before, here);
  const results = before ?? noResults(here);
  results.runs.push({ startedAt: new Date().toISOString(), minutes, facts: [...found.facts, ...machine()] });
  await measure(results, new Budget(minutes), { device, bundles, python, isToy });
  console.log(goalTable(results));
  return exitCode(results);
}

type Where = { device: Device; bundles: string; python: string; isToy: boolean };

async function measure(results: Results, budget: Budget, where: Where): Promise<void> {
  const rig = new Rig({ ...where, together: scale.together, say });
  try {
    await runList(items, results, {
      budget,
      signal: AbortSignal.timeout(Math.ceil(budget.left * 1_000)),
      measure: (task, signal) => rig.measure(task, signal),
      save: (changed) => writeResults(values.results, changed),
      say,
    });
  } finally {
    await rig.close();
  }
}

function exitCode(results: Results): number {
  const open = items.filter((item) => stateOf(results, item) !== 'done');
  for (const item of open) {
    const state = stateOf(results, item);
    const why = state === 'failed' ? `failed: ${results.items[item.name]?.error}` : 'run the command again';
    console.log(`not reached: ${item.name} (${item.what}): ${why}`);
  }
  if (open.some((item) => stateOf(results, item) === 'failed')) return FAILED;
  return open.length > 0 ? UNFINISHED : 0;
}

async function tables(results: Results | null): Promise<number> {
  await writeTables(goalTable(results));
  return 0;
}

function deviceOf(text: string): Device {
  if (text === 'cpu' || /^cuda:\d+$/.test(text)) return text as Device;
  throw new UserError(`--device: expected cuda:0, another number, or cpu, found ${text}`);
}

function minutesOf(text: string): number {
  const minutes = Number(text);
  if (minutes > 0) return minutes;
  throw new UserError(`--minutes: expected a number above 0, found ${text}`);
}
