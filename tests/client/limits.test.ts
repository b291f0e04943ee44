import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  batchEnd,
  cancelBatch,
  createSchedule,
  deleteSchedule,
  LimitReached,
  listBatches,
  retryBatch,
  submitBatch,
  triggerSchedule,
} from '../../client/index.ts';
import { LIMITS_NAME } from '../../records/layout.ts';
import { dayOf } from '../../records/limits.ts';
import { usedOn } from '../../records/usage.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

vi.setConfig({ testTimeout: 180_000 });

let site: Site;
/** Raised if a batch has to be stopped before it ends. */
let stepMs = 0;

beforeAll(async () => {
  site = await startSite({ stepMs: () => stepMs });
});

afterAll(() => site.stop());

const rows = (what: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${what} ${index},256`);

const limit = (limits: object) =>
  site.store.replace(LIMITS_NAME, Buffer.from(JSON.stringify(limits)), 'application/json');

/** The sum of both days, in case midnight passes during the test. */
async function used(): Promise<number> {
  const days = new Set([dayOf(started), dayOf(new Date())]);
  const amounts = await Promise.all([...days].map((day) => usedOn(site.store, day)));
  return amounts.reduce((sum, { images }) => sum + images, 0);
}
const started = new Date();

/** Batches that a schedule has started. */
async function scheduled(name: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { batch } of listBatches(site.client)) if (batch.startsWith(name)) found.push(batch);
  return found;
}

it('a batch that would render more than is left is refused on submission, but not one whose images exist', async () => {
  await limit({ imagesPerDay: 10 });
  await batchEnd(site.client, await site.submit('six', rows('a fox', 6)));
  expect(await used()).toBe(6);
  const more = site.submit('five-more', rows('an owl', 5));
  await expect(more).rejects.toBeInstanceOf(LimitReached);
  await expect(more).rejects.toThrow(/at most 10 images a day, found 6 used on .* \(UTC\) and 5 requested/);
  expect(await batchEnd(site.client, await site.submit('six-again', rows('a fox', 6)))).toMatchObject({
    state: 'completed',
    result: { totals: { reused: 6 } },
  });
  expect(await used()).toBe(6);
});

it('of two batches that are submitted at once and exceed the limit together, only one is rendered', async () => {
  await limit({ imagesPerDay: (await used()) + 4 });
  const batches = ['left', 'right'];
  const ends = await Promise.all(
    batches.map(async (batch) => {
      try {
        const end = await batchEnd(site.client, await site.submit(batch, rows(`a ${batch} hand`, 4)));
        return end.state === 'completed' ? 'completed' : JSON.stringify(end);
      } catch (error) {
        return (error as Error).message;
      }
    }),
  );
  expect(ends.filter((end) => end === 'completed')).toHaveLength(1);
  expect(ends.filter((end) => end.includes('expected at most'))).toHaveLength(1);
});

it("a schedule's batch and a retry are refused by the batch itself, with what is left and when it resets", async () => {
  const catalog = await site.catalog('nightly.csv', rows('a heron', 3));
  const before = await used();
  await limit({ imagesPerDay: before + 8, megapixelsPerDay: 1000 });
  stepMs = 1_000;
  const batch = await site.submit('slow', rows('a snail', 8), 1);
  await expect.poll(used).toBe(before + 8);
  await cancelBatch(site.client, batch);
  await batchEnd(site.client, batch);
  stepMs = 0;

  await createSchedule(site.client, {
    name: 'nightly',
    when: { cron: '0 3 * * *' },
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
  });
  await triggerSchedule(site.client, 'nightly');
  await expect.poll(() => scheduled('nightly')).toHaveLength(1);
  const ofSchedule = await batchEnd(site.client, (await scheduled('nightly'))[0]!);
  await deleteSchedule(site.client, 'nightly');
  expect(ofSchedule).toMatchObject({ state: 'failed', reason: expect.stringMatching(/limit of .*3 requested/) });

  expect(await retryBatch(site.client, batch)).toMatchObject({ round: 2 });
  const ofRetry = await batchEnd(site.client, batch);
  expect(ofRetry).toMatchObject({ state: 'failed', reason: expect.stringMatching(/expected at most .* a day/) });

  await limit({ imagesPerDay: (await used()) + 100 });
  expect(await retryBatch(site.client, batch)).toMatchObject({ round: 3 });
  expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
});

it('images with fresh seeds count like any others', async () => {
  await limit({ imagesPerDay: (await used()) + 2 });
  const catalog = await site.catalog('fresh.csv', rows('a newt', 2));
  const submit = (batch: string) =>
    submitBatch(site.client, { batch, catalog, store: site.store.url, bundle: BUNDLE, defaults: { seeds: 'fresh' } });
  await submit('fresh-1');
  await batchEnd(site.client, 'fresh-1');
  await expect(submit('fresh-2')).rejects.toBeInstanceOf(LimitReached);
});
