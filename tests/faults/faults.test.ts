import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { type Cell, cells, idOf } from './cells.ts';
import { type FaultyFleet, startFaultyFleet } from './faulty-fleet.ts';
import { runCell } from './run-cell.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 120_000 });

const BUCKET = 'faults';
const SEED = 3;

let folder: string;
let emulator: BucketEmulator;
let fleet: FaultyFleet;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-faults-'));
  emulator = await startBucketEmulator();
  await emulator.createBucket(BUCKET);
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  fleet = await startFaultyFleet({ bucket: emulator.endpoint, folder });
});

afterAll(async () => {
  await fleet?.stop();
  await emulator?.stop();
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
});

/** Those of the matrix in which nobody has to be missed by the server first, which takes half a minute. */
const QUICK: Cell[] = [
  { activity: 'writeReceipts', fault: 'disk full', store: 'folder' },
  { activity: 'renderImage', fault: 'child killed', store: 'folder' },
  { activity: 'readShard', fault: 'hang', store: 'bucket' },
];

test.each(QUICK)('$activity in a $store goes on after: $fault', async (cell) => {
  expect(cells(SEED).map(idOf)).toContain(idOf(cell));
  const found = await runCell(cell, SEED, { bucket: BUCKET, fleet });
  if (cell.fault !== 'child killed') expect(found.told).toMatch(/ waits for the store: store /);
});
