import { expect, test } from 'vitest';
import { runKills } from './run-kills.ts';

test('batches lose nothing and make nothing twice while their processes are killed', { timeout: 300_000 }, async () => {
  const { kills, killed, batches, jobs, computedAgain } = await runKills({ kills: 6, seed: 2, batchesAtOnce: 2 });
  expect(kills).toBe(6);
  expect(Math.min(...Object.values(killed))).toBeGreaterThan(0);
  expect(batches).toBeGreaterThanOrEqual(2);
  expect(jobs).toBeGreaterThanOrEqual(12);
  expect(computedAgain).toBeGreaterThanOrEqual(0);
});
