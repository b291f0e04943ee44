import type { Logger } from 'pino';
import { SIZES, type Size } from '../domain/size.ts';
import type { Bundle } from '../models/pixart/index.ts';
import {
  candidateShapes,
  chosenShape,
  type MeasuredShape,
  measureShapes,
  mostChildren,
  onnxruntimeVersion,
  processorModel,
  shapeText,
  usableCores,
} from '../models/renderer/index.ts';
import { measuredOnce } from './kept-measurements.ts';
import type { RenderConfig } from './render-config.ts';

/** A renderer's processes and their threads; on a GPU the runtime chooses the threads by default. */
export type ChosenShape = { children: number; threads: number | undefined };

/**
 * The number of processes that render on the worker's device, and their threads: as configured; by default one on a
 * GPU, and on a CPU the shape that makes the most images of the smallest size that it serves and has memory for the
 * largest. That is measured once (docs/decisions/105).
 *
 * @throws UserError if the bundle cannot be rendered; the signal's reason
 */
export async function chooseShape(
  { device, children, threads, textEncoder }: RenderConfig,
  { bundle, sizes }: { bundle: Bundle; sizes: readonly Size[] },
  log: Logger,
  signal: AbortSignal,
): Promise<ChosenShape> {
  if (device !== 'cpu') return { children: children ?? 1, threads };
  const cores = usableCores();
  if (children !== undefined || threads !== undefined) {
    const given = children ?? 1;
    return { children: given, threads: threads ?? Math.max(1, Math.floor(cores / given)) };
  }
  const shapes = candidateShapes(cores, await mostChildren(bundle, sizes, { hasEncoder: textEncoder }));
  if (shapes.length < 2) return shapes[0]!;
  const size = SIZES.find((size) => sizes.includes(size))!;
  const about = {
    kind: 'children' as const,
    bundleDigest: bundle.digest,
    size,
    processor: processorModel(),
    onnxruntime: onnxruntimeVersion(),
    candidates: shapes,
  };
  const measured = await measuredOnce(about, log, async () => {
    log.info(
      { size, shapes: shapes.map(shapeText) },
      'measuring how many renderer processes make the most images here; this takes some seconds, once for this bundle and machine',
    );
    const { shapes: rates, isWhole } = await measureShapes(shapes, { bundle, size, signal });
    return { rates, isWhole };
  });
  const chosen = chosenShape(measured) ?? shapes[0]!;
  log.info({ size, chosen: shapeText(chosen), ...ratesOf(measured) }, 'renderer processes and threads chosen');
  return { children: chosen.children, threads: chosen.threads };
}

const ratesOf = (measured: readonly MeasuredShape[]): { imagesPerMinute?: Record<string, number> } =>
  measured.length === 0
    ? {}
    : {
        imagesPerMinute: Object.fromEntries(
          measured.map((shape) => [shapeText(shape), Number(shape.imagesPerMinute.toPrecision(3))]),
        ),
      };
