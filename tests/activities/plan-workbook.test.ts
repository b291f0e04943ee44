import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { type BatchRequest, batchInput } from '../../client/request.ts';
import { catalogName } from '../../records/layout.ts';
import { readJobs } from '../../records/plan-and-receipts.ts';
import { openStore, storeUrl } from '../../store/index.ts';
import { anywhere } from '../anywhere.ts';

const bundle = { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };

test('a schedule plans from the sheet of a workbook that was named, keeps the workbook as it is, and plans the same from it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-workbook-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'icons.xlsx');
  const fixture = new URL('../catalog/workbook/fixtures/libreoffice.xlsx', import.meta.url);
  await copyFile(fixture, catalog);
  const request: BatchRequest = { catalog, store: join(folder, 'out'), bundle, sheet: 'Zweites Blatt' };
  const input = batchInput(request, 'night');
  const first = await createPlanBatch(anywhere)(input);
  const store = await openStore(storeUrl(request.store));
  expect(await readJobs(store, first.shards[0]!.name)).toMatchObject([
    { prompt: 'a fox of the second sheet', line: 2 },
  ]);
  await writeFile(catalog, 'something else');
  expect(await createPlanBatch(anywhere)(input)).toEqual(first);
  const kept = await store.stat(catalogName('night', 'xlsx'));
  expect(kept).not.toBeNull();
});
