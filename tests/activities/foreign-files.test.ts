import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Storage } from '@google-cloud/storage';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReviewPage } from '../../activities/write-review-page.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { batchFolder, planFolder, receiptsFolder, sheetFolder } from '../../records/layout.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { FOREIGN_NAMES } from '../records/foreign-names.ts';
import { type SampleRow, samplePictures, writeSampleBatch } from '../review-page/sample-batch.ts';

let emulator: BucketEmulator;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-foreign-'));
  emulator = await startBucketEmulator();
  await emulator.createBucket('team');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator?.stop();
  await rm(folder, { recursive: true });
});

const ROWS: SampleRow[] = [{}, { outcome: 'failed' }, { outcome: 'cancelled' }];
const FOLDERS = [planFolder, receiptsFolder, sheetFolder, batchFolder].map((folderOf) => folderOf('night'));

/** Writes a batch's records, lets others put their files among them, and ends the batch. */
async function ends(store: ObjectStore, putForeign: (name: string) => Promise<unknown>): Promise<void> {
  await writeSampleBatch(store, 'night', ROWS, await samplePictures(1, 16));
  for (const inFolder of FOLDERS) for (const name of FOREIGN_NAMES) await putForeign(inFolder + name);
  const input = { store: store.url, batch: 'night', round: 1, state: 'completed' as const, lostShards: [] };
  const bundle = { name: 'tiny', digest: 'cd'.repeat(32) };
  const { totals } = await createWriteManifest(openStore)({ ...input, bundle, startedAt: new Date(0).toISOString() });
  expect(totals).toMatchObject({ jobs: 3, rendered: 1, failed: 1, cancelled: 1 });
  await createWriteReviewPage(openStore)(input);
}

test('a batch in a folder ends whatever file managers, editors and people leave among its pieces', async () => {
  const store = await openStore(pathToFileURL(folder).href);
  await ends(store, async (name) => {
    const file = path.join(folder, name);
    // Not below or in place of a file that is there, which a folder cannot have.
    if (/\/$|\.jsonl\//.test(name)) return;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, 'x');
  });
});

test('a batch in a bucket ends although a console has made folders there, which are objects without a byte', async () => {
  const bucket = new Storage({ apiEndpoint: emulator.endpoint, projectId: 'none' }).bucket('team');
  const store = await openStore('gs://team/images');
  await ends(store, (name) => bucket.file(`images/${name}`).save(name.endsWith('/') ? '' : 'x', { resumable: false }));
  const listed: string[] = [];
  for await (const { name } of store.list(planFolder('night'))) listed.push(name);
  expect(listed).toContain(planFolder('night'));
});
