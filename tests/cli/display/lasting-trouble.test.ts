import { expect, test } from 'vitest';
import { lastingTrouble } from '../../../cli/display/lasting-trouble.ts';
import type { Retrying } from '../../../client/index.ts';

const MINUTE = 60_000;

const trouble = (reason: string): Retrying => ({
  ...{ activity: 'renderImage', count: 1, attempts: 1, reason },
  ...{ waitsForStore: false, isPaused: false, since: null, givesUpAt: null },
});

test('lasting trouble is reported again, less and less often, but at least every ten minutes', () => {
  const isDue = lastingTrouble();
  const told: number[] = [];
  for (let minute = 0; minute <= 60; minute += 1) if (isDue(trouble('disk full'), minute * MINUTE)) told.push(minute);
  expect(told).toEqual([0, 1, 3, 7, 15, 25, 35, 45, 55]);
});

test('another reason is reported after a minute, another kind at once', () => {
  const isDue = lastingTrouble();
  expect(isDue(trouble('no memory for fox'), 0)).toBe(true);
  expect(isDue(trouble('no memory for owl'), MINUTE / 2)).toBe(false);
  expect(isDue(trouble('no memory for owl'), MINUTE)).toBe(true);
  expect(isDue({ ...trouble('the store is away'), waitsForStore: true }, MINUTE)).toBe(true);
});
