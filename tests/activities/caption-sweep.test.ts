import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CAPTION_DAYS, expired, sweepCaptions } from '../../activities/caption-sweep.ts';
import { captionName } from '../../records/layout.ts';
import { folderStore } from './rendering.ts';

const DAY_MS = 24 * 3_600_000;
const NOW = 1_800_000_000_000;

const anyCaptions = fc.array(
  fc.record({ name: fc.uuid(), bytes: fc.integer({ min: 1, max: 100 }), ageDays: fc.integer({ min: 0, max: 60 }) }),
);

test('a sweep leaves none that is too old and no more than the bytes allowed, and takes the oldest only', () => {
  fc.assert(
    fc.property(anyCaptions, fc.integer({ min: 0, max: 1_000 }), (captions, mostBytes) => {
      const objects = captions.map(({ ageDays, ...object }) => ({ ...object, writtenAt: NOW - ageDays * DAY_MS }));
      const gone = new Set(expired(objects, NOW, mostBytes));
      const left = objects.filter(({ name }) => !gone.has(name));
      expect(left.every(({ writtenAt }) => writtenAt >= NOW - CAPTION_DAYS * DAY_MS)).toBe(true);
      const bytes = left.reduce((sum, object) => sum + object.bytes, 0);
      expect(bytes).toBeLessThanOrEqual(mostBytes);
      const newestGone = Math.max(...objects.filter(({ name }) => gone.has(name)).map(({ writtenAt }) => writtenAt));
      for (const { writtenAt } of left) expect(writtenAt).toBeGreaterThanOrEqual(newestGone);
      // One more would have been one too many.
      if (gone.size === 0) return;
      const last = objects.filter(({ name, writtenAt }) => gone.has(name) && writtenAt === newestGone);
      const isTooOld = newestGone < NOW - CAPTION_DAYS * DAY_MS;
      expect(isTooOld || bytes + last.reduce((sum, object) => sum + object.bytes, 0) > mostBytes).toBe(true);
    }),
  );
});

describe('in a store', () => {
  test('old captions go, and what others put there and all else stays', async () => {
    const store = await folderStore();
    const captions = ['ab', 'cd'].map((part) => captionName('12'.repeat(32), part.repeat(32)));
    const others = ['captions/notes.txt', `captions/${'12'.repeat(32)}/ab/readme`, 'objects/a.png'];
    for (const name of [...captions, ...others]) await store.create(name, Buffer.from('x'), 'text/plain');
    const left = async (): Promise<string[]> => {
      const names: string[] = [];
      for await (const { name } of store.list('')) names.push(name);
      return names;
    };
    await sweepCaptions(store, Date.now());
    expect(await left()).toEqual([...captions, ...others].sort());
    await sweepCaptions(store, Date.now() + (CAPTION_DAYS + 1) * DAY_MS);
    expect(await left()).toEqual(others.sort());
  });
});
