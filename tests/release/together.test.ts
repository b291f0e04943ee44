import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { batchEnd, createSchedule, describeBatch, retryBatch, triggerSchedule } from '../../client/index.ts';
import { checkBatch } from '../chaos/check-store.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 120_000 });

let site: Site;
let computed: string[];

beforeAll(async () => {
  computed = [];
  site = await startSite({ stepMs: () => 100, before: ({ prompt }) => computed.push(prompt) });
});

afterAll(() => site.stop());

test('two schedules of one catalog that are due at one moment leave each picture once, and two whole batches', async () => {
  const rows = Array.from({ length: 6 }, (_, i) => `a fox number ${i},256`);
  const catalog = await site.catalog('foxes.csv', rows);
  const names = ['evening', 'night'];
  const request = { catalog, store: site.store.url, bundle: BUNDLE, when: { cron: '0 3 29 2 *' } };
  for (const name of names) await createSchedule(site.client, { ...request, name });
  const triggered = await Promise.all(names.map((name) => triggerSchedule(site.client, name)));
  const batches = triggered.map((one) => (one.outcome === 'started' ? one.batch : one.outcome));
  // What a schedule starts starts the batch a moment later.
  const known = (batch: string) =>
    vi.waitFor(() => describeBatch(site.client, batch), { timeout: 60_000, interval: 100 });
  await Promise.all(batches.map(known));
  const ends = await Promise.all(batches.map((batch) => batchEnd(site.client, batch)));
  for (const end of ends) expect(end).toMatchObject({ state: 'completed', result: { totals: { jobs: 6, failed: 0 } } });
  for (const batch of batches) await checkBatch(site.store, batch);
  expect(await readdir(path.join(site.folder, 'out', 'objects'))).toHaveLength(6);
  expect(new Set(computed).size).toBe(6);
  // One worker serves both: the second batch finds the first one's images.
  expect(computed).toHaveLength(6);
});

test('a retry of a batch that runs is refused with the reason, and the batch goes on', async () => {
  const batch = await site.submit('running', ['an owl,256', 'a wren,256', 'a crane,256'], 1);
  await expect.poll(() => computed).toContain('an owl');
  await expect(retryBatch(site.client, batch)).rejects.toThrow(/running cannot be retried: it is still running/);
  await expect(retryBatch(site.client, batch, { store: site.store.url })).rejects.toThrow(/still running/);
  expect(await batchEnd(site.client, batch)).toMatchObject({
    result: { totals: { rendered: 3, extraComputations: 0 } },
  });
  await checkBatch(site.store, batch);
});
