import { expect, test } from 'vitest';
import { Crowding } from '../../../models/renderer/crowding.ts';

test('a bin that finds no memory in company takes twice the places from then on, once for each child', () => {
  const crowding = new Crowding();
  const [first, second] = [{ endedWithSeveral: true }, { endedWithSeveral: true }];
  for (let image = 0; image < 4; image += 1) crowding.ranOut('square', first);
  expect(crowding.places('square', 1)).toBe(2);
  expect(crowding.places('wide', 1)).toBe(1);
  crowding.ranOut('square', second);
  expect(crowding.places('square', 2)).toBe(8);
});

test('an image that finds no memory alone says nothing about company', () => {
  const crowding = new Crowding();
  crowding.ranOut('square', { endedWithSeveral: false });
  expect(crowding.places('square', 1)).toBe(1);
});
