import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import type { Size } from '../domain/size.ts';
import { cacheFolder } from '../infra/dev/tools.mjs';
import type { Measured, MeasuredShape, PoolShape } from '../models/renderer/index.ts';

/** What a measurement holds for. */
export type Measurement = {
  bundleDigest: string;
  size: Size;
  processor: string;
  onnxruntime: string;
  shapes: readonly PoolShape[];
};

/** A measurement that others disturbed, or that had too little time for a large model, is made again at another start. */
const UNFINISHED_MS = 24 * 3_600_000;

const keptSchema = z.object({
  format: z.literal(1),
  /** Milliseconds since 1970. */
  until: z.number().nullable(),
  measured: z.array(z.object({ children: z.int(), threads: z.int(), imagesPerMinute: z.number().positive() })),
});

/** What was measured earlier on this machine; `null` where nothing was, or it cannot be read, or is of shapes that were not asked for. */
export async function keptMeasurement(about: Measurement): Promise<MeasuredShape[] | null> {
  try {
    const { until, measured } = keptSchema.parse(JSON.parse(await readFile(fileOf(about), 'utf8')));
    const isAsked = ({ children, threads }: PoolShape): boolean =>
      about.shapes.some((shape) => shape.children === children && shape.threads === threads);
    return (until === null || Date.now() < until) && measured.every(isAsked) ? measured : null;
  } catch {
    return null;
  }
}

/** @throws Error where the cache cannot be written */
export async function keepMeasurement(about: Measurement, { shapes, isWhole }: Measured): Promise<void> {
  const file = fileOf(about);
  const unfinished = `${file}.${randomUUID()}`;
  await mkdir(path.dirname(file), { recursive: true });
  const kept = { format: 1, until: isWhole ? null : Date.now() + UNFINISHED_MS, ...about, measured: shapes };
  await writeFile(unfinished, `${JSON.stringify(kept, null, 2)}\n`);
  await rename(unfinished, file);
}

function fileOf({ bundleDigest, size, processor, onnxruntime, shapes }: Measurement): string {
  const key = JSON.stringify([bundleDigest, size, processor, onnxruntime, shapes]);
  return path.join(cacheFolder(), 'children', `${createHash('sha256').update(key).digest('hex').slice(0, 32)}.json`);
}
