import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { plan } from './planning.ts';

it('the example catalog plans 24 different images of two sizes and three aspect ratios', async () => {
  const { summary } = await plan(readFileSync(new URL('../../examples/catalog.csv', import.meta.url)));
  expect(summary).toMatchObject({ rows: 20, jobs: 24, images: 24, metadata: ['team', 'used_for'] });
  expect(new Set(summary.bins.map(({ size }) => size))).toEqual(new Set(['256', '512']));
  expect(new Set(summary.bins.map(({ bin }) => bin.width / bin.height)).size).toBe(3);
});
