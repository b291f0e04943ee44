import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { isMet, median, ratio } from '../../../benchmarks/bench/report.ts';
import { DOCUMENT, withTables } from '../../../benchmarks/gpu/document.ts';
import { itemsOf, REAL } from '../../../benchmarks/gpu/items.ts';
import { noResults, type Results, type Sample } from '../../../benchmarks/gpu/results.ts';
import { goalLines, goalTable } from '../../../benchmarks/gpu/tables.ts';

const MACHINE = { device: 'NVIDIA H100', memoryBytes: 80e9, isToy: false };

/** Every item of the list, measured as given. */
function measured(sampleOf: (item: string, series: string) => Sample): Results {
  const items = itemsOf(REAL).map(({ name, series }) => {
    const samples = Object.keys(series).map((each): [string, Sample[]] => [each, [sampleOf(name, each)]]);
    return [name, { state: 'done' as const, series: Object.fromEntries(samples) }] as const;
  });
  return { ...noResults(MACHINE), items: Object.fromEntries(items) };
}

it('says of everything that it is not measured, and of no goal that it is met or missed', () => {
  for (const results of [null, noResults(MACHINE)]) {
    const lines = goalLines(results);
    expect(lines.flatMap((line) => [...line.ours, ...(line.peer?.runs ?? [])])).toEqual([]);
    expect(lines.map(isMet).every((met) => met === undefined)).toBe(true);
    for (const row of goalTable(results)
      .split('\n')
      .filter((line) => line.includes('≥') || line.includes('≤')))
      expect(row).toContain('not measured');
  }
});

it('finds every figure of the list, so that no line stays empty but the one of another script', () => {
  const results = measured(() => ({
    ...{ seconds: 1, images: 1, denoiseSeconds: 1, decodeSeconds: 0.1, memoryBytes: 7e9, decibels: 60 },
  }));
  const empty = goalLines(results).filter(({ ours, peer }) => ours.length === 0 || peer?.runs.length === 0);
  expect(empty.map(({ what }) => what)).toEqual(['device busy, 500 images into a bucket with 50 ms latency']);
});

it('computes what the goals speak of', () => {
  const results = measured((item, series) => {
    if (item === '512') return { seconds: series === 'alone' ? 0.7 : 2, images: series === 'alone' ? 1 : 16 };
    if (item === 'text') return { seconds: series === 'ours' ? 0.1 : 0.2, images: 1 };
    return {
      seconds: series === 'ours' ? 0.9 : 1.6,
      images: 1,
      denoiseSeconds: 0.8,
      decodeSeconds: 0.2,
      memoryBytes: 9e9,
    };
  });
  const lines = goalLines(results);
  const find = (what: string, peer?: string) =>
    lines.find((line) => line.what.startsWith(what) && line.peer?.name === peer)!;
  const alone = find('1024 px, one at a time', 'diffusers fp16 eager');
  expect([ratio(alone), isMet(alone)]).toEqual([expect.closeTo(1.6 / 0.9), true]);
  const withText = find('1024 px, with T5 once', 'diffusers fp16 eager');
  expect([ratio(withText), isMet(withText)]).toEqual([expect.closeTo((1.6 + 0.2) / (0.9 + 0.1)), true]);
  const together = find('512 px, micro-batches of', 'one at a time');
  expect(median(together.ours)).toBeCloseTo(8);
  expect(ratio(together)).toBeCloseTo(8 * 0.7);
  expect(median(find('XL/2: decoding').ours)).toBeCloseTo(0.25);
  expect(isMet(find('XL/2: decoding'))).toBe(false);
  expect(isMet(find('device memory'))).toBe(false);
});

it('adds T5 to neither side unless it was measured on both', () => {
  const results = measured(() => ({ seconds: 1, images: 1 }));
  results.items.text!.series.eager = [];
  const lines = goalLines(results).filter(({ what }) => what.startsWith('1024 px'));
  expect(lines.map(({ what, ours }) => [what, ours])).toEqual([
    ['1024 px, one at a time', [1]],
    ['1024 px, one at a time', [1]],
  ]);
});

it('names the batches that were measured', () => {
  const results = measured(() => ({ seconds: 1, images: 2, together: 2 }));
  const lines = goalLines(results).filter(({ what }) => what.includes('micro-batches of'));
  expect(lines.length).toBeGreaterThan(0);
  for (const { what, peer } of lines) expect(`${what} ${peer?.name}`).not.toContain('8');
});

it('counts a picture with the very bytes of the processor as close enough', () => {
  const same = measured(() => ({ seconds: 1, images: 1, decibels: null }));
  const lines = goalLines(same).filter(({ unit }) => unit === 'dB');
  expect(lines.map(isMet)).toEqual([true, true]);
  expect(goalTable(same).split('\n').slice(-2).join()).toMatch(/dB .* same bytes .* same bytes /);
});

it('writes between the marks of the document and nowhere else', async () => {
  const document = await readFile(DOCUMENT, 'utf8');
  const written = withTables(document, 'THE TABLE');
  expect(written.replace(/<!-- gpu -->.*<!-- \/gpu -->/s, '')).toBe(
    document.replace(/<!-- gpu -->.*<!-- \/gpu -->/s, ''),
  );
  expect(written).toContain('<!-- gpu -->\n\nTHE TABLE\n\n<!-- /gpu -->');
  expect(() => withTables('no marks', '')).toThrow('expected <!-- gpu -->');
});

it('has each of its goals in the document', async () => {
  const document = await readFile(DOCUMENT, 'utf8');
  const section = /<!-- gpu -->(.*)<!-- \/gpu -->/s.exec(document)![1]!;
  const rows = section
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .slice(2);
  // Once measured, micro-batches are named by their size, and there may be lines with T5.
  const named = (what: string): string => what.trim().replace(/of \d+$/, 'of several');
  expect(rows.map((row) => named(row.split('|')[1]!))).toEqual(
    expect.arrayContaining(goalLines(null).map(({ what }) => named(what))),
  );
});
