import fc from 'fast-check';
import { expect, test } from 'vitest';
import { table } from '../../../cli/display/output.ts';
import { totalsText } from '../../../cli/display/progress-text.ts';
import { bytesText, utcText } from '../../../cli/display/text.ts';

test('columns are as wide as their widest cell, without trailing spaces', () => {
  const text = table([
    ['batch', 'jobs'],
    ['a', '1000'],
    ['longer name', ''],
  ]);
  expect(text).toBe('batch        jobs\na            1000\nlonger name');
});

test('every number of bytes is shown with at most four digits and a unit', () => {
  fc.assert(
    fc.property(fc.nat({ max: Number.MAX_SAFE_INTEGER }), (bytes) => {
      expect(bytesText(bytes)).toMatch(/^\d{1,3}(,\d{3})*(\.\d)? (bytes|kB|MB|GB|TB)$/);
    }),
  );
  expect([0, 999, 1_000, 147_255, 2_440_000_000].map(bytesText)).toEqual([
    '0 bytes',
    '999 bytes',
    '1 kB',
    '147.3 kB',
    '2.4 GB',
  ]);
});

test('times of records are in UTC, to the second', () => {
  expect(utcText(new Date('2026-01-31T10:30:05.999+01:00'))).toBe('2026-01-31 09:30:05');
});

test('totals show what a cancellation left out, and what was computed twice', () => {
  const totals = { jobs: 5, rendered: 2, reused: 1, failed: 0, cancelled: 2, extraComputations: 1 };
  expect(totalsText(totals)).toBe('5 jobs, 2 rendered, 1 reused, 2 cancelled, 1 computed more than once');
});
