// Measures one GPU, alternating between peers and us, with the most important items first:
// npx tsx benchmarks/gpu.ts --minutes 8
// See --help, and docs/performance.md, "Measure a GPU".

import { UserError } from '../domain/user-error.ts';
import type { Device } from '../models/pixart/index.ts';
import { machine } from './bench/machine.ts';
import { say } from './bench/part.ts';
import { Budget } from './gpu/budget.ts';
import { machineOf } from './gpu/device.ts';
import { DOCUMENT_NAME, writeTables } from './gpu/document.ts';
import { type Item, itemsOf, REAL, TOY, withoutPeers } from './gpu/items.ts';
import { find } from './gpu/needs.ts';
import { parseOptions, runProgram } from './gpu/options.ts';
import { checkMachine, checkWritable, noResults, type Results, readResults, writeResults } from './gpu/results.ts';
import { Rig, type RigOptions } from './gpu/rig.ts';
import { listText, runList, stateOf } from './gpu/run-list.ts';
import { goalTable } from './gpu/tables.ts';

const HELP = `usage: npx tsx benchmarks/gpu.ts [--minutes 8] [--results gpu-results.json] [--bundles gpu-kit/bundles]
           [--device cuda:0] [--python python3] [--without-peers] [--dry-run] [--toy]
       npx tsx benchmarks/gpu.ts --tables [--results gpu-results.json]

--minutes        time limit, from start to end; what is not reached is left for the next run
--results        file of figures; a run resumes from it
--bundles        folder made by "benchmarks/gpu-kit.ts bundles"
--device         cuda:0 or another GPU; cpu for a trial
--python         a Python with torch, diffusers and transformers; default: python3
--without-peers  measure pixart-batch only
--dry-run        print the list of items, and what is missing
--tables         write the tables of the results file into ${DOCUMENT_NAME}
--toy            tiny networks; a trial without a GPU takes about 10 minutes, and needs toy bundles first:
                 npx tsx benchmarks/gpu-kit.ts bundles FOLDER --toy
                 npx tsx benchmarks/gpu.ts --toy --device cpu --bundles FOLDER --results trial.json --minutes 15

exit code: 0 everything is measured, 1 an item failed, 2 wrong options, 3 something is missing, 4 time ran out
`;

const FAILED = 1;
const MISSING = 3;
const UNFINISHED = 4;

await runProgram(main);
// An abandoned call may still be running.
process.exit();

async function main(): Promise<number> {
  const { values } = parseOptions({
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
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const { results: file, bundles, python, toy: isToy, 'without-peers': isAlone } = values;
  const device = deviceOf(values.device);
  const minutes = minutesOf(values.minutes);
  // From here on: what is checked first takes its time too.
  const budget = new Budget(minutes);
  const before = await readResults(file);
  if (values.tables) return tables(file, before);
  await checkWritable(file);

  const scale = isToy ? TOY : REAL;
  const items = isAlone ? withoutPeers(itemsOf(scale)) : itemsOf(scale);
  say('checking what is missing');
  const found = await find({ device, bundles, python, isToy, hasPeers: !isAlone });
  const here = machineOf(device, found.gpu, isToy);
  const isKnown = device === 'cpu' || found.gpu !== null;
  if (before !== null) checkMachine(file, before, isKnown ? here : { isToy });
  if (values['dry-run']) console.log(listText(items, before));
  for (const line of found.missing) console.error(`missing: ${line}`);
  if (values['dry-run'] || found.missing.length > 0) return found.missing.length > 0 ? MISSING : 0;

  const results = before ?? noResults(here);
  results.runs.push({ startedAt: new Date().toISOString(), minutes, facts: [...found.facts, ...machine()] });
  const rig = { device, bundles, python, isToy, together: scale.together, say };
  await measure(items, { file, results, budget, rig });
  console.log(goalTable(results));
  return exitCode(items, results);
}

type Run = { file: string; results: Results; budget: Budget; rig: RigOptions };

async function measure(items: readonly Item[], { file, results, budget, rig: options }: Run): Promise<void> {
  const rig = new Rig(options);
  try {
    await runList(items, results, {
      budget,
      signal: AbortSignal.timeout(Math.ceil(budget.left * 1_000)),
      measure: (task, signal) => rig.measure(task, signal),
      save: (changed) => writeResults(file, changed),
      say,
    });
  } finally {
    await rig.close();
  }
}

function exitCode(items: readonly Item[], results: Results): number {
  const open = items.filter((item) => stateOf(results, item) !== 'done');
  for (const item of open) {
    const state = stateOf(results, item);
    const why = state === 'failed' ? `failed: ${results.items[item.name]?.error}` : 'run the command again';
    console.log(`not reached: ${item.name} (${item.what}): ${why}`);
  }
  if (open.some((item) => stateOf(results, item) === 'failed')) return FAILED;
  return open.length > 0 ? UNFINISHED : 0;
}

async function tables(file: string, results: Results | null): Promise<number> {
  if (results === null || Object.keys(results.items).length === 0) throw new UserError(`no results in ${file}`);
  await writeTables(goalTable(results));
  console.log(`wrote the tables of ${file} into ${DOCUMENT_NAME}`);
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
