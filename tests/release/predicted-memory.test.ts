import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { painterPeak } from '../../benchmarks/memory/peak.ts';
import { nearestBin } from '../../domain/bins.ts';
import { networksOf, openBundle, painterMemory } from '../../models/pixart/index.ts';

vi.setConfig({ testTimeout: 1_800_000 });

const BUNDLE = fileURLToPath(new URL('../../models/bundles/pixart-icons-4-steps', import.meta.url));

test('the memory of the shipped bundle at 512 px is predicted within 15 %', async () => {
  const bundle = await openBundle(BUNDLE);
  const predicted = painterMemory(networksOf(bundle), { bin: nearestBin('512', 1, 1), tokens: 20 })!.total;
  const { peak } = await painterPeak(bundle, '512', 20);
  expect(predicted / peak).toBeGreaterThan(0.85);
  expect(predicted / peak).toBeLessThan(1.15);
});
