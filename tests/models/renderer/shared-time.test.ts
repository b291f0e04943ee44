import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SharedTime } from '../../../models/renderer/shared-time.ts';

test('an image that is alone is charged all of its time, and of two each half of what they have in common', () => {
  let now = 0;
  const time = new SharedTime(() => now);
  const endFirst = time.begin();
  now = 10;
  const endSecond = time.begin();
  now = 30;
  expect(endFirst()).toBeCloseTo((10 + 20 / 2) / 30);
  now = 40;
  expect(endSecond()).toBeCloseTo((20 / 2 + 10) / 30);
  expect(time.begin()()).toBe(1);
});

test('an image that is alone is charged all of its time and no rounding error more', () => {
  let now = 51.5;
  const time = new SharedTime(() => now);
  const ends = [time.begin(), time.begin(), time.begin()];
  now = 121.1;
  for (const end of ends) end();
  now = 172.8;
  const end = time.begin();
  now = 181.60000000000002;
  expect(end()).toBe(1);
});

test('what images are charged adds up to the time in which the device had any', () => {
  const images = fc.array(fc.record({ begin: fc.nat(100), lasts: fc.integer({ min: 1, max: 50 }) }), { maxLength: 20 });
  fc.assert(
    fc.property(images, (images) => {
      let now = 0;
      let [charged, busy] = [0, 0];
      const time = new SharedTime(() => now);
      const inHand = new Map<object, () => number>();
      for (; now <= 150; now += 1) {
        for (const image of images) {
          if (now === image.begin + image.lasts) {
            const share = inHand.get(image)!();
            expect(share).toBeGreaterThan(0);
            expect(share).toBeLessThanOrEqual(1);
            charged += share * image.lasts;
            inHand.delete(image);
          }
          if (now === image.begin) inHand.set(image, time.begin());
        }
        if (inHand.size > 0) busy += 1;
      }
      expect(charged).toBeCloseTo(busy);
    }),
  );
});
