import { expect, test } from 'vitest';
import { cleanBesideBatches } from '../cleaning/beside-batches.ts';

test('a clean of a bucket beside batches that run is killed and gone on with, and nothing that they need is lost', {
  timeout: 900_000,
}, async () => {
  const result = await cleanBesideBatches({ kind: 'bucket', unneeded: 300, reused: 8 });
  expect(result).toMatchObject({ images: 24, failed: 0, left: 16 });
  expect(result.goneAtKill).toBeGreaterThanOrEqual(30);
  expect(result.removedAfterKill).toBeGreaterThan(0);
});
