import { expect, test } from 'vitest';
import { lane, lengthOf, union, within } from '../../benchmarks/overlap/intervals.ts';

const intervals = [
  { start: 5, end: 7 },
  { start: 0, end: 2 },
  { start: 1, end: 3 },
];

test('time that several intervals share counts once', () => {
  expect(union(intervals)).toEqual([
    { start: 0, end: 3 },
    { start: 5, end: 7 },
  ]);
  expect(lengthOf(union(intervals))).toBe(5);
});

test('a lane shows how much of each column is filled', () => {
  const window = { start: 1, end: 9 };
  expect(lengthOf(within(union(intervals), window))).toBe(4);
  expect(lane(intervals, window, 4)).toBe('█ █ ');
});
