import { expect, test } from 'vitest';
import { cleanBesideBatches } from '../cleaning/beside-batches.ts';

test('a clean beside batches that run is killed and gone on with, and nothing that they need is lost', {
  timeout: 600_000,
}, async () => {
  const result = await cleanBesideBatches({ kind: 'folder', unneeded: 1_000, reused: 8 });
  expect(result).toMatchObject({ images: 24, failed: 0, left: 16 });
  expect(result.goneAtKill).toBeGreaterThanOrEqual(100);
  expect(result.removedAfterKill).toBeGreaterThan(0);
});
