import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isMet, type Line, median, ratio, table } from '../../benchmarks/bench/report.ts';

const seconds = fc.array(fc.double({ min: 0.01, max: 1e4, noNaN: true }), { minLength: 1 });
const line = (ours: number[], peer?: number[]): Line => ({
  what: 'a step',
  unit: 's',
  ours,
  ...(peer && { peer: { name: 'peer', runs: peer } }),
});

it('takes the median of the runs', () => {
  fc.assert(
    fc.property(seconds, (runs) => {
      const middle = median(runs);
      expect(runs.filter((run) => run < middle).length).toBeLessThanOrEqual(runs.length / 2);
      expect(runs.filter((run) => run > middle).length).toBeLessThanOrEqual(runs.length / 2);
    }),
  );
  expect(() => median([])).toThrow('at least one run');
});

it('has a ratio above 1 exactly when we are better', () => {
  fc.assert(
    fc.property(seconds, seconds, (ours, peer) => {
      const isLess = median(ours) < median(peer);
      expect(ratio(line(ours, peer))! > 1).toBe(isLess);
      expect(ratio({ ...line(ours, peer), moreIsBetter: true })! < 1).toBe(isLess);
    }),
  );
});

it('reaches a goal at its bound, misses it beyond, and is silent without one or without figures of the peer', () => {
  expect(isMet({ ...line([2], [5]), goal: { ratio: 2.5 } })).toBe(true);
  expect(isMet({ ...line([2], [5]), goal: { ratio: 2.51 } })).toBe(false);
  expect(isMet({ ...line([2]), goal: { ratio: 1 } })).toBeUndefined();
  expect(isMet({ ...line([6]), goal: { atMost: 6 } })).toBe(true);
  expect(isMet({ ...line([6.1]), goal: { atMost: 6 } })).toBe(false);
  expect(isMet({ ...line([34.9]), goal: { atLeast: 35 } })).toBe(false);
  expect([0.84, 0.85, 1.15, 1.16].map((value) => isMet({ ...line([value]), goal: { between: [0.85, 1.15] } }))).toEqual(
    [false, true, true, false],
  );
  expect(isMet(line([1], [2]))).toBeUndefined();
});

it('prints medians, the ratio, the goal and whether it is reached', () => {
  const rows = table([
    { ...line([0.5, 0.4, 0.6], [1.25, 1.25]), goal: { ratio: 1.25 } },
    { ...line([7]), goal: { atMost: 6 }, note: '2 GiB of it mapped from files' },
  ]).split('\n');
  const cells = (row: string) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  expect(cells(rows[2]!)).toEqual(['a step', 's', 'peer', '1.25', '0.5', '2.50', '≥ 1.25×', 'yes', '3', '']);
  expect(cells(rows[3]!)).toEqual(['a step', 's', '', '', '7', '', '≤ 6', 'no', '1', '2 GiB of it mapped from files']);
  expect(new Set(rows.map(({ length }) => length)).size).toBe(1);
});
