/**
 * Every activity of the product with every fault that it can meet, in a folder and in a bucket: a small batch a cell, in real worker processes, whose
 * files and requests are made to fail when it gets there. What was found is kept after each cell, so that `--resume` goes on where a run was ended.
 *
 *     npx tsx tests/faults/matrix.ts --seed 7 [--only renderImage] [--lanes 2] [--results out.jsonl] [--resume] [--table]
 *
 * Ends with 1 where a cell has failed. Clocks are moved with libfaketime (Debian: libfaketime); where it is not installed, those cells are left out.
 */
import { existsSync } from 'node:fs';
import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { type Cell, cells, idOf } from './cells.ts';
import { type FaultyFleet, startFaultyFleet } from './faulty-fleet.ts';
import { FAKE_TIME } from './faulty-worker.ts';
import { runCell } from './run-cell.ts';
import { type Recorded, tableOf } from './table.ts';

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

/** A server of its own, so that no other lane's workers take what is for these. */
async function lane(todo: Cell[], number: number, hasClock: boolean, bucket: string) {
  const server = await startTemporalServer({ ui: false });
  const folder = await mkdtemp(path.join(tmpdir(), `pixart-faults-${number}-`));
  let fleet: FaultyFleet | null = null;
  try {
    for (let cell = todo.shift(); cell !== undefined; cell = todo.shift()) {
      fleet ??= await startFaultyFleet({ address: server.address, bucket, folder, hasClock });
      const found = await runCell(cell, seed, { bucket: BUCKET, fleet }).catch(async (error: unknown) => {
        // What it did to its fleet is not to be the next cell's.
        await fleet?.stop();
        fleet = null;
        return { ...cell, failed: error instanceof Error ? error.message : String(error) };
      });
      await appendFile(values.results, `${JSON.stringify({ seed, ...found })}\n`);
      console.error(
        `${todo.length} left; ${idOf(cell)}: ${'failed' in found ? `FAILED: ${found.failed}` : `${found.end}, ${found.seconds} s`}`,
      );
    }
  } finally {
    await fleet?.stop();
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

async function runAll(): Promise<void> {
  const done = values.resume ? (await recorded()).filter((found) => !('failed' in found)).map(idOf) : [];
  if (!values.resume) await rm(values.results, { force: true });
  const wanted = cells(seed).filter((cell) => idOf(cell).includes(values.only) && !done.includes(idOf(cell)));
  const isClock = ({ fault }: Cell): boolean => fault.startsWith('clock');
  const emulator = await startBucketEmulator();
  await emulator.createBucket(BUCKET);
  process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
  try {
    for (const hasClock of [false, true]) {
      const todo = wanted.filter((cell) => isClock(cell) === hasClock);
      if (hasClock && !existsSync(FAKE_TIME)) continue;
      const lanes = Array.from({ length: Number(values.lanes) }, (_, number) =>
        lane(todo, number, hasClock, emulator.endpoint),
      );
      await Promise.all(lanes);
    }
  } finally {
    await emulator.stop();
  }
}

if (!values.table) await runAll();
const all = await recorded();
console.log(tableOf(all));
process.exitCode = all.some((found) => 'failed' in found) ? 1 : 0;
