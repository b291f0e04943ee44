import type { Logger } from 'pino';
import { SIZES, type Size } from '../domain/size.ts';
import type { Bundle } from '../models/pixart/index.ts';
import {
  candidateBatches,
  chosenBatch,
  measureBatches,
  mostImages,
  onnxruntimeVersion,
} from '../models/renderer/index.ts';
import { deviceName } from '../monitoring/device.ts';
import type { ChosenShape } from './choose-shape.ts';
import { measuredOnce } from './kept-measurements.ts';
import type { RenderConfig } from './render-config.ts';

/**
 * The number of images that may share a call of the transformer: as configured; by default one on a CPU, and on a GPU
 * the number that makes the most images of the smallest size that it serves. That is measured once
 * (docs/decisions/141).
 *
 * @throws UserError if the bundle cannot be rendered; the signal's reason
 */
export async function chooseMicroBatch(
  { device, microBatch = device === 'cpu' ? 1 : 'auto', textEncoder }: RenderConfig,
  { bundle, sizes, shape }: { bundle: Bundle; sizes: readonly Size[]; shape: ChosenShape },
  log: Logger,
  signal: AbortSignal,
): Promise<number> {
  if (microBatch !== 'auto') return microBatch;
  const size = SIZES.find((size) => sizes.includes(size))!;
  const processes = { children: shape.children, hasEncoder: textEncoder };
  const most = device === 'cpu' ? await mostImages(bundle, sizes, processes) : Number.POSITIVE_INFINITY;
  const batches = candidateBatches(size, bundle, most);
  if (batches.length < 2) return 1;
  // On a GPU the runtime chooses the threads.
  const pool = { children: shape.children, threads: shape.threads ?? 0 };
  const about = {
    kind: 'micro-batches' as const,
    bundleDigest: bundle.digest,
    size,
    processor: await deviceName(device, shape.children * (shape.threads ?? 1)),
    onnxruntime: onnxruntimeVersion(),
    candidates: batches.map((images) => ({ images, ...pool })),
  };
  const measured = await measuredOnce(about, log, async () => {
    log.info(
      { size, batches },
      'measuring how many images should share a call; this takes some seconds, once for this bundle and device',
    );
    const found = await measureBatches(batches, { bundle, size, device, ...shape, signal });
    return { rates: found.batches.map((batch) => ({ ...batch, ...pool })), isWhole: found.isWhole };
  });
  const chosen = chosenBatch(measured)?.images ?? 1;
  const imagesPerMinute = Object.fromEntries(
    measured.map((batch) => [batch.images, Number(batch.imagesPerMinute.toPrecision(3))]),
  );
  log.info({ size, chosen, imagesPerMinute }, 'images per call chosen');
  return chosen;
}
