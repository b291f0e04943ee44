import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { resizeAndCrop, toBytes } from '../../../models/pixart/resize-crop.ts';

const side = fc.integer({ min: 1, max: 40 });

describe('resizeAndCrop', () => {
  test('always has the size that was asked for, and no value outside those it was given', () => {
    fc.assert(
      fc.property(side, side, side, side, fc.infiniteStream(fc.integer({ min: -9, max: 9 })), (...sizes) => {
        const [width, height, newWidth, newHeight, values] = sizes;
        const data = Float32Array.from({ length: 3 * width * height }, () => values.next().value);
        const resized = resizeAndCrop({ data, width, height }, newWidth, newHeight);
        expect([resized.width, resized.height]).toEqual([newWidth, newHeight]);
        expect(resized.data).toHaveLength(3 * newWidth * newHeight);
        expect(Math.max(...resized.data)).toBeLessThanOrEqual(Math.max(...data));
        expect(Math.min(...resized.data)).toBeGreaterThanOrEqual(Math.min(...data));
      }),
    );
  });

  test('leaves an image of the right size as it is', () => {
    const image = { data: new Float32Array(12), width: 2, height: 2 };
    expect(resizeAndCrop(image, 2, 2)).toBe(image);
  });

  test('keeps a symmetric image symmetric where rounding leaves the resized image a pixel short', () => {
    expect(Math.trunc(304 * (106 / 304))).toBe(105);
    const data = Float32Array.from({ length: 3 * 304 * 304 }, (_, i) => Math.abs((i % 304) - 151.5));
    const resized = resizeAndCrop({ data, width: 304, height: 304 }, 106, 106).data.slice(0, 106);
    resized.forEach((value, x) => {
      expect(value).toBeCloseTo(resized[105 - x]!, 3);
    });
  });

  test('cuts from the centre', () => {
    const row = [1, 2, 3, 4, 5];
    const image = { data: Float32Array.from([...row, ...row, ...row]), width: 5, height: 1 };
    expect([...resizeAndCrop(image, 3, 1).data]).toEqual([2, 3, 4, 2, 3, 4, 2, 3, 4]);
  });

  test('enlarges bilinearly with pixel centres at half, as torch with align_corners=False', () => {
    const image = {
      data: Float32Array.from([0, 4, 0, 4, 0, 4].flatMap((value) => [value, value + 8])),
      width: 2,
      height: 2,
    };
    const enlarged = resizeAndCrop(image, 4, 4);
    expect([...enlarged.data.slice(0, 8)]).toEqual([0, 2, 6, 8, 1, 3, 7, 9]);
  });
});

test('toBytes puts a pixel together, clamps, and rounds half to even', () => {
  const half = (byte: number): number => ((byte + 0.5) / 255) * 2 - 1;
  const red = [-2, -1, 0, half(100)];
  const green = [2, 1, half(101), 0.25];
  const blue = [-0.5, 0.5, 1, -1];
  const data = Float32Array.from([...red, ...green, ...blue]);
  const bytes = toBytes({ data, width: 4, height: 1 });
  expect([...bytes]).toEqual([0, 255, 64, 0, 255, 191, 128, 102, 255, 100, 159, 0]);
});
