import { expect, test } from 'vitest';
import { cutLatents, thinLatents } from '../../../models/pixart/latents.ts';

const latents = {
  data: Float32Array.from([1, 3, 10, 5, 7, 20, 2, 4, 100, /* second channel */ 0, 0, 0, 0, 8, 0, 0, 0, 9]),
  channels: 2,
  height: 3,
  width: 3,
};

test('a part holds the rows and columns asked for, of every channel', () => {
  expect(cutLatents(latents, 1, 1, 2, 2)).toEqual({
    data: Float32Array.from([7, 20, 4, 100, 8, 0, 0, 9]),
    channels: 2,
    height: 2,
    width: 2,
  });
});

test('thinned latents are every second one of every second row', () => {
  expect(thinLatents(latents, 2)).toEqual({
    data: Float32Array.from([1, 10, 2, 100, 0, 0, 0, 9]),
    channels: 2,
    height: 2,
    width: 2,
  });
});

test('latents of which every one is kept are what they were', () => {
  expect(thinLatents(latents, 1)).toEqual(latents);
});
