/**
 * Every activity of the product with every fault that it can meet, in a folder and in a bucket: a small batch a cell,
 * in real worker processes, whose files and requests are made to fail when it gets there. What was found is kept after
 * each cell, so that `--resume` goes on where a run was ended.
 *
 *     node --import tsx tests/faults/matrix.ts --seed 7 [--only renderImage] [--lanes 2] [--results out.jsonl] [--resume] [--table]
 *
 * Ends with 1 where a cell has failed or is missing; what the workers of a failed one said then lies in
 * `<results>.<cell>.log`. Clocks are moved with libfaketime, and the kernel's own faults take root: what the machine
 * lacks is told, and those cells are left out. `npx tsx` would end at a signal without a word to the program that it
 * started.
 */
import { existsSync, rmSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { type Cell, cells, type Fault, idOf } from './cells.ts';
import { type FaultyFleet, startFaultyFleet } from './faulty-fleet.ts';
import { FAKE_TIME } from './faulty-worker.ts';
import { noMemoryLimits, noMounts } from './machine-faults.ts';
import { runCell } from './run-cell.ts';
import { type Outcome, type Recorded, tableOf } from './table.ts';

const BUCKET = 'faults';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    only: { type: 'string', default: '' },
    lanes: { type: 'string', default: '1' },
    results: { type: 'string', default: 'faults.jsonl' },
    resume: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
});
const seed = Number(values.seed);
const asked = cells(seed).filter((cell) => idOf(cell).includes(values.only));

async function recorded(): Promise<Recorded[]> {
  if (!existsSync(values.results)) return [];
  const lines = (await readFile(values.results, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Recorded).filter((found) => found.seed === seed);
}

/** A fleet of its own with a server of its own, so that no other lane's workers take what is for these. */
async function lane(todo: Cell[], number: number, hasClock: boolean, bucket: string) {
  const folder = await mkdtemp(path.join(tmpdir(), `pixart-faults-${number}-`));
  const abandon = (): void => leave(folder);
  process.once('exit', abandon);
  let fleet: FaultyFleet | null = null;
  try {
    for (let cell = todo.shift(); cell !== undefined; cell = todo.shift()) {
      fleet ??= await startFaultyFleet({ bucket, folder, hasClock });
      const found = await outcomeOf(cell, fleet);
      await appendFile(values.results, `${JSON.stringify({ seed, ...found })}\n`);
      console.error(`${todo.length} left; ${idOf(cell)}: ${lineOf(found)}`);
      if (!('failed' in found)) continue;
      await writeFile(`${values.results}.${idOf(cell)}.log`, fleet.said());
      // What it did to its fleet, and its batch, which may still run, are not to be the next cell's.
      await fleet.stop();
      fleet = null;
    }
  } finally {
    await fleet?.stop();
    process.removeListener('exit', abandon);
    await rm(folder, { recursive: true, force: true });
  }
}

/** Other ends of this process must not be kept from theirs by a worker that still writes there. */
function leave(folder: string): void {
  try {
    rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    console.error(`${folder} is left: ${(error as Error).message}`);
  }
}

const outcomeOf = (cell: Cell, fleet: FaultyFleet): Promise<Outcome> =>
  runCell(cell, seed, { bucket: BUCKET, fleet }).catch((error: unknown) => ({
    ...cell,
    failed: withCauses(error),
  }));

const withCauses = (error: unknown): string =>
  error instanceof Error
    ? `${error.message}${error.cause === undefined ? '' : `: ${withCauses(error.cause)}`}`
    : String(error);

const lineOf = (found: Outcome): string =>
  'failed' in found ? `FAILED: ${found.failed}` : `completed, ${found.seconds} s`;

/** What the machine lacks for a fault; `null` where it has all. */
function missingFor({ fault }: Cell): string | null {
  if (isOfClock(fault))
    return existsSync(FAKE_TIME) ? null : `it takes libfaketime (Debian: libfaketime) at ${FAKE_TIME}`;
  if (fault === 'out of memory') return noMemoryLimits();
  return fault === 'tmpfs full' ? noMounts() : null;
}

const isOfClock = (fault: Fault): boolean => fault.startsWith('clock');

/** Those that this machine can run; of the others it is told what they take. */
function possible(wanted: Cell[]): Cell[] {
  const missing = wanted.map(missingFor);
  for (const what of new Set(missing)) {
    if (what !== null) console.error(`left out: ${missing.filter((one) => one === what).length} cells, since ${what}`);
  }
  return wanted.filter((_, place) => missing[place] === null);
}

async function runAll(): Promise<void> {
  const done = values.resume ? (await recorded()).filter((found) => !('failed' in found)).map(idOf) : [];
  if (!values.resume) await rm(values.results, { force: true });
  const wanted = possible(asked.filter((cell) => !done.includes(idOf(cell))));
  const emulator = await startBucketEmulator();
  try {
    await emulator.createBucket(BUCKET);
    process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
    for (const hasClock of [false, true]) {
      const todo = wanted.filter(({ fault }) => isOfClock(fault) === hasClock);
      const lanes = Math.min(Number(values.lanes), todo.length);
      await Promise.all(Array.from({ length: lanes }, (_, number) => lane(todo, number, hasClock, emulator.endpoint)));
    }
  } finally {
    await emulator.stop();
  }
}

// Servers and workers end with this process; a cell that is not over is not recorded.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
// Several for each lane.
process.setMaxListeners(0);
if (!values.table) await runAll();
const all = await recorded();
console.log(tableOf(all));
const held = new Set(all.filter((found) => !('failed' in found)).map(idOf));
process.exitCode = asked.every((cell) => held.has(idOf(cell))) ? 0 : 1;
