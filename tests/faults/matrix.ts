/**
 * Every activity of the product with every fault that it can meet, in a folder and in a bucket: a small batch a cell, in real worker processes, whose
 * files and requests are made to fail when it gets there. What was found is kept after each cell, so that `--resume` goes on where a run was ended.
 *
 *     node --import tsx tests/faults/matrix.ts --seed 7 [--only renderImage] [--lanes 2] [--results out.jsonl] [--resume] [--table]
 *
 * Ends with 1 where a cell has failed or is missing; what the workers of a failed one said then lies in `<results>.<cell>.log`. Clocks are moved with
 * libfaketime; where it is not installed, those cells are left out. Not by `npx tsx`, which ends at a signal without a word to the program that it started.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { type Cell, cells, idOf } from './cells.ts';
import { type FaultyFleet, startFaultyFleet } from './faulty-fleet.ts';
import { FAKE_TIME } from './faulty-worker.ts';
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

async function recorded(): Promise<Recorded[]> {
  if (!existsSync(values.results)) return [];
  const lines = (await readFile(values.results, 'utf8')).split('\n').filter(Boolean);
  return lines.map((line) => JSON.parse(line) as Recorded).filter((found) => found.seed === seed);
}

/** Aborted when this program is told to end; a cell that is not over by then is not recorded. */
const told = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => told.abort());

/** A server of its own, so that no other lane's workers take what is for these. */
async function lane(todo: Cell[], number: number, hasClock: boolean, bucket: string) {
  const server = await startTemporalServer({ ui: false });
  const folder = await mkdtemp(path.join(tmpdir(), `pixart-faults-${number}-`));
  let fleet: FaultyFleet | null = null;
  try {
    for (let cell = todo.shift(); cell !== undefined && !told.signal.aborted; cell = todo.shift()) {
      fleet ??= await startFaultyFleet({ address: server.address, bucket, folder, hasClock });
      const found = await outcomeOf(cell, fleet);
      if (found === null) return;
      await appendFile(values.results, `${JSON.stringify({ seed, ...found })}\n`);
      console.error(`${todo.length} left; ${idOf(cell)}: ${lineOf(found)}`);
      if (!('failed' in found)) continue;
      await writeFile(`${values.results}.${idOf(cell)}.log`, fleet.said());
      // What it did to its fleet is not to be the next cell's.
      await fleet.stop();
      fleet = null;
    }
  } finally {
    await fleet?.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** `null` where this program is told to end meanwhile. */
async function outcomeOf(cell: Cell, fleet: FaultyFleet): Promise<Outcome | null> {
  const run = runCell(cell, seed, { bucket: BUCKET, fleet }).catch((error: unknown) => ({
    ...cell,
    failed: error instanceof Error ? error.message : String(error),
  }));
  const end = new Promise<null>((resolve) => told.signal.addEventListener('abort', () => resolve(null)));
  return Promise.race([run, end]);
}

const lineOf = (found: Outcome): string =>
  'failed' in found ? `FAILED: ${found.failed}` : `${found.end}, ${found.seconds} s`;

async function runAll(): Promise<void> {
  const done = values.resume ? (await recorded()).filter((found) => !('failed' in found)).map(idOf) : [];
  if (!values.resume) await rm(values.results, { force: true });
  const wanted = cells(seed).filter((cell) => idOf(cell).includes(values.only) && !done.includes(idOf(cell)));
  const isClock = ({ fault }: Cell): boolean => fault.startsWith('clock');
  const emulator = await startBucketEmulator();
  try {
    await emulator.createBucket(BUCKET);
    process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
    for (const hasClock of [false, true]) {
      const todo = wanted.filter((cell) => isClock(cell) === hasClock);
      if (hasClock && todo.length > 0 && !existsSync(FAKE_TIME)) {
        console.error(
          `left out, as ${FAKE_TIME} is missing (Debian: apt-get install libfaketime): ${todo.length} cells`,
        );
        continue;
      }
      const lanes = Math.min(Number(values.lanes), todo.length);
      await Promise.all(Array.from({ length: lanes }, (_, number) => lane(todo, number, hasClock, emulator.endpoint)));
    }
  } finally {
    await emulator.stop();
  }
}

if (!values.table) await runAll();
const all = await recorded();
console.log(tableOf(all));
const held = new Set(all.filter((found) => !('failed' in found)).map(idOf));
process.exitCode = cells(seed).every((cell) => held.has(idOf(cell)) || !idOf(cell).includes(values.only)) ? 0 : 1;
// The cells that were not over wait for ends that do not come any more.
if (told.signal.aborted) process.exit(1);
