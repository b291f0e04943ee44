import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { LIMITS_NAME, usageFolder } from '../../records/layout.ts';
import { type Amount, LimitReached, type Limits, limitUses, readLimits } from '../../records/limits.ts';
import { takeFromDay, usedOn } from '../../records/usage.ts';
import { type ObjectStore, openStore, PLAIN_TEXT } from '../../store/index.ts';

let folder: string;
let stores = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-usage-'));
});

afterAll(() => rm(folder, { recursive: true }));

const freshStore = (): Promise<ObjectStore> => openStore(pathToFileURL(path.join(folder, `store-${stores++}`)).href);

const at = new Date('2026-11-30T23:59:59.900Z');
const DAY = '2026-11-30';

const take = (store: ObjectStore, limits: Limits, run: string, took: Amount, when = at) =>
  takeFromDay(store, limits, { batch: `batch-${run}`, round: 1, run, at: when }, took);

it('of many simultaneous batches, no more pass than the limits allow, and each that passes is counted once', async () => {
  const amounts = fc.array(fc.record({ images: fc.nat(40), pixels: fc.nat(40_000_000) }), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(amounts, fc.nat(100), fc.nat(100), async (asked, imagesPerDay, megapixelsPerDay) => {
      const store = await freshStore();
      const limits = { imagesPerDay, megapixelsPerDay };
      const ends = await Promise.allSettled(asked.map((amount, index) => take(store, limits, `${index}`, amount)));
      const passed = asked.filter((_, index) => ends[index]!.status === 'fulfilled');
      const used = await usedOn(store, DAY);
      expect(used.images).toBe(passed.reduce((sum, { images }) => sum + images, 0));
      expect(used.pixels).toBe(passed.reduce((sum, { pixels }) => sum + pixels, 0));
      for (const { used: of, limit } of limitUses(limits, used)) expect(of).toBeLessThanOrEqual(limit);
      for (const [index, end] of ends.entries()) {
        if (end.status === 'fulfilled') continue;
        expect(end.reason).toBeInstanceOf(LimitReached);
        // Once refused, always refused: nothing is released.
        await expect(take(store, limits, `${index}`, asked[index]!)).rejects.toBeInstanceOf(LimitReached);
      }
    }),
    { numRuns: 15 },
  );
});

it('another attempt of the same run takes nothing again, and the next day starts from zero', async () => {
  const store = await freshStore();
  const limits = { imagesPerDay: 10 };
  const took = { images: 10, pixels: 0 };
  await take(store, limits, 'one', took);
  await take(store, limits, 'one', took);
  await expect(take(store, limits, 'two', { images: 1, pixels: 0 })).rejects.toThrow(
    /expected at most 10 images a day, found 10 used on 2026-11-30 \(UTC\) and 1 requested\. Nothing is rendered\. .*after 2026-12-01T00:00:00\.000Z/,
  );
  await take(store, limits, 'two', took, new Date('2026-12-01T00:00:00Z'));
  expect(await usedOn(store, '2026-12-01')).toEqual(took);
});

it('a batch that renders nothing passes even if nothing is left', async () => {
  const store = await freshStore();
  await take(store, { imagesPerDay: 0, megapixelsPerDay: 0 }, 'one', { images: 0, pixels: 0 });
});

it('files that others put beside the counts are ignored', async () => {
  const store = await freshStore();
  for (const name of ['.DS_Store', '1.json', '000009.json.bak'])
    await store.create(usageFolder(DAY) + name, Buffer.from('x'), PLAIN_TEXT);
  await take(store, { imagesPerDay: 5 }, 'one', { images: 5, pixels: 0 });
  expect(await usedOn(store, DAY)).toEqual({ images: 5, pixels: 0 });
});

it.each([
  ['{"imagesPerDy": 10}', /imagesPerDy/],
  ['{}', /expected imagesPerDay, megapixelsPerDay or both/],
  ['{"imagesPerDay": -1}', /imagesPerDay/],
  ['2000', /2000/],
  ['{"imagesPerDay": 10', /incomplete JSON/],
])('limits that cannot be read are not none: %s', async (text, found) => {
  const store = await freshStore();
  await store.create(LIMITS_NAME, Buffer.from(text), 'application/json');
  const reading = readLimits(store);
  await expect(reading).rejects.toThrow(found);
  await expect(reading).rejects.toThrow(/limits\.json in .* is damaged: expected limits such as/);
});
