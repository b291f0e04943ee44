import { expect, test } from 'vitest';
import { costsOf } from '../../benchmarks/gpu-fleet/costs.ts';
import { pointOf } from '../../benchmarks/gpu-fleet/point.ts';
import { checkTable, costTable } from '../../benchmarks/gpu-fleet/report.ts';
import { startFleetRig } from '../../benchmarks/gpu-fleet/rig.ts';
import { imagesInHand } from '../../workflows/contract/limits.ts';

test('two simulated GPUs make a batch with the product around them, and the model is set beside them', async () => {
  const rate = { size: '256' as const, perSecond: 20, alone: 8, together: 4 };
  const batch = { images: 120, window: 24, queued: 8 };
  const rig = await startFleetRig();
  try {
    const run = await rig.run({ rate, gpus: 2 }, batch);
    const images = run.gpus.flatMap((gpu) => gpu.images);
    expect(images.length).toBe(batch.images);
    expect(run.counts.calls.RespondActivityTaskCompleted).toBeGreaterThanOrEqual(batch.images);
    for (const gpu of run.gpus) {
      const inHand = (at: number): number => gpu.images.filter(({ start, end }) => start <= at && end > at).length;
      for (const { start } of gpu.images) expect(inHand(start)).toBeLessThanOrEqual(imagesInHand(1, rate.together));
      // Twenty steps alone would be twenty calls for each image.
      expect(gpu.busy.length).toBeLessThan(21 * gpu.images.length);
    }
    const point = { ...pointOf(rate, run, batch.queued), ...batch };
    expect(point.perSecond).toBeGreaterThan(0);
    expect(point.idle).toBeGreaterThanOrEqual(0);
    expect(Object.values(point.processorMs).every((ms) => ms > 0)).toBe(true);
    expect(point.threadMs).toBeLessThanOrEqual(point.processorMs.orchestrator);
    expect(point.updates).toBeGreaterThan(1);
    console.log(`${costTable([point])}\n\n${checkTable([point], costsOf([point]), 2)}`);
  } finally {
    await rig.stop();
  }
}, 180_000);
