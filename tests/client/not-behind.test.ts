import { expect, test } from 'vitest';
import { notBehind } from '../../client/not-behind.ts';
import type { BatchProgress } from '../../workflows/contract/progress.ts';

const progress = (small: number, large: number, round = 1): BatchProgress => ({
  batch: 'night',
  round,
  state: 'rendering',
  totals: { jobs: 10, rendered: small + large, reused: 0, failed: 0, cancelled: 0, extraComputations: small },
  bySize: {
    '256': { jobs: 5, rendered: small, reused: 0, failed: 0 },
    '512': { jobs: 5, rendered: large, reused: 0, failed: 0 },
  },
  recentFailures: [],
});

test('a size whose shard did not answer keeps its last counts, while the others advance', () => {
  const next = notBehind(progress(3, 2), progress(4, 1));
  expect(next.bySize).toMatchObject({ '256': { rendered: 4 }, '512': { rendered: 2 } });
  expect(next.totals).toMatchObject({ jobs: 10, rendered: 6, extraComputations: 4 });
});

test('an answer that is ahead in every size is used as it is', () => {
  const next = progress(4, 2);
  expect(notBehind(next, progress(4, 1))).toBe(next);
});

test('another round starts counting from zero', () => {
  const next = progress(1, 0, 2);
  expect(notBehind(next, progress(4, 4))).toBe(next);
  expect(notBehind(next, undefined)).toBe(next);
});
