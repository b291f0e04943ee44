import fc from 'fast-check';
import { expect, test } from 'vitest';
import { candidateShapes, chosenShape, shapeText } from '../../../models/renderer/pool-shape.ts';

test.for([
  [1, 8, ['1 × 1 thread']],
  [2, 8, ['1 × 2 threads', '2 × 1 thread']],
  [6, 8, ['1 × 6 threads', '2 × 3 threads', '6 × 1 thread']],
  [7, 8, ['1 × 7 threads', '7 × 1 thread']],
  [16, 5, ['1 × 16 threads', '2 × 8 threads', '4 × 4 threads']],
  [64, 1, ['1 × 64 threads']],
] as const)('%i cores and memory for %i children: %j', ([cores, most, shapes]) => {
  expect(candidateShapes(cores, most).map(shapeText)).toEqual(shapes);
});

test('candidates use every core, begin with one child, never exceed the memory, and stay few', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 512 }), fc.integer({ min: 1, max: 600 }), (cores, most) => {
      const shapes = candidateShapes(cores, most);
      expect(shapes[0]).toEqual({ children: 1, threads: cores });
      for (const { children, threads } of shapes) {
        expect(children * threads).toBe(cores);
        expect(children).toBeLessThanOrEqual(most);
      }
      expect(shapes.length).toBeLessThanOrEqual(11);
    }),
  );
});

test('the fastest is chosen, but not for a gain as small as the error', () => {
  const one = { children: 1, threads: 2, imagesPerMinute: 100 };
  const two = (imagesPerMinute: number) => ({ children: 2, threads: 1, imagesPerMinute });
  expect(chosenShape([one, two(117)])).toEqual(two(117));
  expect(chosenShape([two(117), one])).toEqual(two(117));
  expect(chosenShape([one, two(104)])).toEqual(one);
  expect(chosenShape([one, two(60)])).toEqual(one);
  expect(chosenShape([])).toBeUndefined();
});

test('no shape is left for one that is slower, and none is taken that fewer children equal', () => {
  const rate = fc.double({ min: 1, max: 1_000, noNaN: true });
  fc.assert(
    fc.property(fc.array(rate, { minLength: 1, maxLength: 6 }), (rates) => {
      const measured = rates.map((imagesPerMinute, at) => ({ children: 2 ** at, threads: 1, imagesPerMinute }));
      const chosen = chosenShape(measured)!;
      for (const other of measured) {
        const isFewer = other.children < chosen.children;
        if (isFewer) expect(chosen.imagesPerMinute).toBeGreaterThan(other.imagesPerMinute);
        else expect(other.imagesPerMinute).toBeLessThanOrEqual(1.05 * chosen.imagesPerMinute);
      }
    }),
  );
});
