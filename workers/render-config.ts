import { z } from 'zod';
import { type Size, sizeSchema } from '../domain/size.ts';
import { UserError } from '../domain/user-error.ts';
import type { BundleRef, Device } from '../models/pixart/index.ts';
import { CHECKPOINT_SECONDS } from '../workflows/contract/limits.ts';

/** Configuration of a render worker. One process serves one device. */
const renderConfigSchema = z.strictObject({
  /** An installed bundle's name, or the path of a bundle. */
  bundle: z.string().min(1),
  device: z.custom<Device>((value) => /^(cpu|cuda:\d+)$/.test(String(value)), 'expected cpu, or cuda: and a number'),
  /** Which of the bundle's sizes to serve; default: all of them. */
  sizes: z.array(sizeSchema),
  /** Processes that render at once; measured if neither they nor their threads are given. */
  children: z.int().positive().optional(),
  /** CPU threads of each of them. */
  threads: z.int().positive().optional(),
  /** Images that may share a call of the transformer; default: one on a CPU, measured on a GPU. */
  microBatch: z.union([z.int().positive(), z.literal('auto')]).optional(),
  /** How long images in hand may go on after the process was told to stop; then they are handed back. */
  graceSeconds: z.number().min(0),
  /** The shortest time between two checkpoints of an image; one that is denoised in less has none. */
  checkpointSeconds: z.number().min(0).default(CHECKPOINT_SECONDS),
  /** URL of the store for checkpoints; default: the batch's own. */
  scratch: z.string().optional(),
  /** Whether stored captions and checkpoints are encrypted. */
  encryptKept: z.boolean().default(false),
  /** Whether it has the text encoder; otherwise it renders from captions that others stored. */
  textEncoder: z.boolean().default(true),
  /** Whether it also takes images for which other workers had too little memory. */
  large: z.boolean().default(false),
  /** Key and certificates that sign images of batches that request it. */
  signing: z.strictObject({ key: z.string(), certificates: z.string() }).optional(),
  /** Whether this process serves metrics. */
  metrics: z.boolean().default(false),
});

export type RenderConfig = z.infer<typeof renderConfigSchema>;

/** @throws UserError that names every setting that is wrong, and what was expected */
export function renderConfig(settings: Record<string, unknown>): RenderConfig {
  const parsed = renderConfigSchema.safeParse(settings);
  if (parsed.success) return parsed.data;
  throw new UserError(`render worker: ${z.prettifyError(parsed.error)}`);
}

/** @throws UserError if a requested size is not one that the bundle serves */
export function servedSizes(asked: Size[], bundle: BundleRef): Size[] {
  const missing = asked.filter((size) => !bundle.sizes.includes(size));
  if (missing.length === 0) return asked.length === 0 ? bundle.sizes : [...new Set(asked)];
  throw new UserError(
    `sizes: bundle ${bundle.name} serves ${bundle.sizes.join(', ')}, found ${missing.join(', ')}. ` +
      'Leave those out, or use a bundle that serves them.',
  );
}
