import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Pace } from '../../../cli/display/pace.ts';

test('the pace is unknown until the count grows', () => {
  const pace = new Pace();
  expect(pace.perSecond(0)).toBeNull();
  pace.note(0, 7);
  pace.note(5_000, 7);
  expect(pace.perSecond(5_000)).toBeNull();
});

test('a steady count has the same rate, however often it is sampled', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 100 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 2, maxLength: 300 }),
      (perSecond, seconds) => {
        const pace = new Pace();
        let now = 0;
        for (const pause of seconds) {
          now += pause * 1_000;
          pace.note(now, (now / 1_000) * perSecond);
        }
        expect(pace.perSecond(now)).toBeCloseTo(perSecond, 6);
      },
    ),
  );
});

test('old samples do not count, so a batch that has become faster soon shows it', () => {
  const pace = new Pace();
  for (let second = 0; second <= 600; second += 1) pace.note(second * 1_000, second);
  for (let second = 601; second <= 800; second += 1) pace.note(second * 1_000, 600 + (second - 600) * 10);
  expect(pace.perSecond(800_000)).toBeCloseTo(10, 1);
});

test('slow batches are measured over a longer time', () => {
  const pace = new Pace();
  for (let image = 0; image <= 5; image += 1) pace.note(image * 400_000, image);
  expect(pace.perSecond(2_000_000)).toBeCloseTo(1 / 400, 6);
});

test('the pace of a stalled batch falls steadily', () => {
  const pace = new Pace();
  for (let second = 0; second <= 60; second += 1) pace.note(second * 1_000, second);
  expect(pace.perSecond(120_000)).toBeCloseTo(0.5, 6);
});

test('a count that restarts has no rate yet', () => {
  const pace = new Pace();
  pace.note(0, 0);
  pace.note(1_000, 50);
  pace.note(2_000, 3);
  expect(pace.perSecond(2_000)).toBeNull();
});
