import { expect, test } from 'vitest';
import { batchRequest } from '../../cli/options/catalog-options.ts';
import { options } from '../catalog/planning.ts';

test('pictures are decoded in tiles unless a whole piece is asked for', () => {
  const defaultsOf = (given: { decode?: 'tiled' | 'whole' }) =>
    batchRequest('fruit.csv', { store: 'out', imageFormat: 'png', ...given }, options.bundle).defaults;
  expect(defaultsOf({ decode: 'whole' })).toEqual({ format: 'png', decode: 'whole' });
  expect(defaultsOf({ decode: 'tiled' })).toEqual({ format: 'png' });
  expect(defaultsOf({})).toEqual({ format: 'png' });
});

test('a template of names is asked for by the word that exports have', () => {
  const named = { store: 'out', imageFormat: 'png', name: '{id}-{seed}.{ext}' } as const;
  expect(batchRequest('fruit.csv', named, options.bundle).naming).toBe('{id}-{seed}.{ext}');
});
