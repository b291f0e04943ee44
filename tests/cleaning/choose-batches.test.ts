import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BatchRules, chooseBatches, type SeenBatch } from '../../cleaning/choose-batches.ts';

const DAY_MS = 86_400_000;
const NOW = 1_800_000_000_000;

type Batch = SeenBatch & { catalog: string | undefined };

const anyBatches: fc.Arbitrary<Batch[]> = fc
  .array(
    fc.record({
      ageDays: fc.integer({ min: 0, max: 200 }),
      isBeingRemoved: fc.boolean(),
      catalog: fc.constantFrom('a.csv', 'b.csv', undefined),
      family: fc.constantFrom('spring', 'summer'),
    }),
  )
  .map((all) =>
    all.map(({ ageDays, family, ...others }, n) => ({
      ...others,
      ...{ batch: `${family}-${n}`, writtenAt: NOW - ageDays * DAY_MS },
    })),
  );

const anyRules: fc.Arbitrary<BatchRules> = fc.record({
  olderThanMs: fc.integer({ min: 0, max: 200 }).map((days) => days * DAY_MS),
  keep: fc.subarray(['spring-*', '*-1*', 'summer-3']),
  keepLast: fc.integer({ min: 0, max: 4 }),
});

const catalogsOf = (batches: Batch[]): Map<string, string> =>
  new Map(batches.flatMap(({ batch, catalog }) => (catalog === undefined ? [] : [[batch, catalog]])));

test('batches go that are old and kept by no rule, or whose removal has started; old ones that stay have a reason', () => {
  fc.assert(
    fc.property(anyBatches, anyRules, (batches, rules) => {
      const { remove, keep } = chooseBatches(batches, rules, catalogsOf(batches), NOW);
      const gone = new Set(remove.map(({ batch }) => batch));
      const told = new Map(keep.map(({ batch, why }) => [batch, why]));
      for (const { batch, writtenAt, isBeingRemoved } of batches) {
        const isOld = NOW - writtenAt > rules.olderThanMs;
        if (isBeingRemoved) expect(gone.has(batch)).toBe(true);
        else if (!isOld) expect([gone.has(batch), told.has(batch)]).toEqual([false, false]);
        else expect(gone.has(batch)).toBe(!told.has(batch));
        const isNamed =
          (rules.keep.includes('spring-*') && batch.startsWith('spring-')) ||
          (rules.keep.includes('*-1*') && batch.includes('-1')) ||
          (rules.keep.includes('summer-3') && batch === 'summer-3');
        if (isNamed && !isBeingRemoved) expect(gone.has(batch)).toBe(false);
      }
      // Each catalog keeps the requested number or all, and nothing older than a removed batch.
      const left = batches.filter(({ batch, isBeingRemoved }) => !gone.has(batch) && !isBeingRemoved);
      const others = batches.filter(({ isBeingRemoved }) => !isBeingRemoved);
      for (const catalog of ['a.csv', 'b.csv']) {
        const all = others.filter((batch) => batch.catalog === catalog);
        const staying = left.filter((batch) => batch.catalog === catalog);
        expect(staying.length).toBeGreaterThanOrEqual(Math.min(rules.keepLast, all.length));
        const newest = all.toSorted((a, b) => b.writtenAt - a.writtenAt).slice(0, rules.keepLast);
        for (const { batch } of newest) expect(gone.has(batch)).toBe(false);
      }
      if (rules.keepLast > 0)
        for (const { batch, catalog } of others) if (!catalog) expect(gone.has(batch)).toBe(false);
    }),
  );
});

test('without rules, only removals that have started are continued', () => {
  fc.assert(
    fc.property(anyBatches, (batches) => {
      const { remove, keep } = chooseBatches(batches, null, new Map(), NOW);
      expect(remove).toEqual(batches.filter(({ isBeingRemoved }) => isBeingRemoved));
      expect(keep).toEqual([]);
    }),
  );
});

test('characters of a pattern other than stars match themselves', () => {
  const old = (batch: string): SeenBatch => ({ batch, writtenAt: 0, isBeingRemoved: false });
  const rules = { olderThanMs: 1, keep: ['a.b', '(', 'x-*'], keepLast: 0 };
  const { remove } = chooseBatches(['a.b', 'aXb', 'x-', 'y-x-1'].map(old), rules, new Map(), NOW);
  expect(remove.map(({ batch }) => batch)).toEqual(['aXb', 'y-x-1']);
});
