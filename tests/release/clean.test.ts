import { expect, test } from 'vitest';
import { cleanBesideBatches } from '../cleaning/beside-batches.ts';

test('a clean beside batches that run is killed and gone on with, and nothing that they need is lost', {
  timeout: 600_000,
}, async () => {
  const result = await cleanBesideBatches({ kind: 'folder', unneeded: 1_000, reused: 8 });
  expect(result.takenUp).toBeGreaterThanOrEqual(4);
  expect(result.goneAtKill).toBeGreaterThanOrEqual(500);
  expect(result.removedAfterKill).toBeGreaterThan(0);
  expect(result).toMatchObject({ images: 16 * result.batches, failed: 0 });
});
