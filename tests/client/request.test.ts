import { expect, test } from 'vitest';
import { batchInput, newBatchId } from '../../client/request.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';

const bundle = {
  name: 'tiny',
  digest: 'ab'.repeat(32),
  sizes: ['256' as const, '512' as const],
  defaults: { steps: 2, guidance: 4 },
};
const request = { catalog: '/srv/tiles.csv', store: '/srv/out', bundle };

test("the defaults of a request are the bundle's smallest size, PNG, and quality 90 for lossy formats", () => {
  expect(batchInput(request, 'b').defaults).toEqual({ size: '256', format: 'png', quality: null });
  expect(batchInput({ ...request, defaults: { format: 'webp' } }, 'b').defaults.quality).toBe(90);
  expect(batchInput({ ...request, defaults: { decode: 'whole' } }, 'b').defaults.decode).toBe('whole');
});

test.for([0, -1, 1.5, Number.NaN])('a window of %d is refused: no shard would ever start', (window) => {
  expect(() => batchInput({ ...request, window }, 'b')).toThrow(
    `window: expected a whole number from 1 to 2000, found ${window}`,
  );
});

test('terms are next to the catalog by default, in a bucket as in a folder', () => {
  const termsOf = (catalog: string, terms?: string) =>
    batchInput({ ...request, catalog, expansion: terms === undefined ? {} : { terms } }, 'b').source.expansion?.terms;
  expect(termsOf('/srv/tiles.csv')).toBe('file:///srv/terms');
  expect(termsOf('gs://b/spring/tiles.csv')).toBe('gs://b/spring/terms');
  expect(termsOf('/srv/tiles.csv', 'gs://b/words')).toBe('gs://b/words');
  expect(batchInput(request, 'b').source.expansion).toBeUndefined();
});

test('a batch is named after its catalog, whatever its name', () => {
  const now = new Date('2026-03-01T20:30:15.123Z');
  expect(newBatchId('gs://b/today tiles.v2.csv', now)).toBe('today-tiles.v2-20260301T203015Z');
  expect(newBatchId('/srv/瓷砖.csv', now)).toBe('batch-20260301T203015Z');
  expect(newBatchId('Frühjahr.xlsx', now)).toBe('Fruhjahr-20260301T203015Z');
  expect(newBatchId('Fru\u0308hjahr.xlsx', now)).toBe('Fruhjahr-20260301T203015Z');
  expect(newBatchId('Straße Łódź Œuvre.csv', now)).toBe('Strasse-Lodz-Oeuvre-20260301T203015Z');
});

test('an invalid naming template is refused before anything is read', () => {
  expect(() => batchInput({ ...request, naming: '../{id}.{ext}' }, 'b')).toThrow('--name: expected a relative name');
  expect(batchInput({ ...request, naming: '{seed}/{id}.{ext}' }, 'b').source).toMatchObject({
    naming: '{seed}/{id}.{ext}',
  });
  expect(batchInput(request, 'b').source).not.toHaveProperty('naming');
});

test('a long catalog name does not make a summary that Temporal refuses', () => {
  const input = batchInput({ ...request, catalog: `/srv/${'瓷'.repeat(80)}.csv` }, 'b');
  expect(Buffer.byteLength(batchStart(input).staticSummary)).toBeLessThan(300);
});
