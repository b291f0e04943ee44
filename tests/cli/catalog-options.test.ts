import { expect, test } from 'vitest';
import { batchRequest } from '../../cli/options/catalog-options.ts';
import { options } from '../catalog/planning.ts';

test('images are decoded in tiles by default', () => {
  const defaultsOf = (given: { decode?: 'tiled' | 'whole' }) =>
    batchRequest('fruit.csv', { store: 'out', imageFormat: 'png', ...given }, options.bundle).defaults;
  expect(defaultsOf({ decode: 'whole' })).toEqual({ format: 'png', decode: 'whole' });
  expect(defaultsOf({ decode: 'tiled' })).toEqual({ format: 'png' });
  expect(defaultsOf({})).toEqual({ format: 'png' });
});

test('--name is the template for image names, as in exports', () => {
  const named = { store: 'out', imageFormat: 'png', name: '{id}-{seed}.{ext}' } as const;
  expect(batchRequest('fruit.csv', named, options.bundle).naming).toBe('{id}-{seed}.{ext}');
});
