import { z } from 'zod';

/** The presets. Each has its own table of bins and its own task queue. */
export const SIZES = ['256', '512', '1024', '2k', '4k'] as const;

export const sizeSchema = z.enum(SIZES);

export type Size = z.infer<typeof sizeSchema>;

/** Height and width in pixels that are actually sampled. */
export const binSchema = z.strictObject({ height: z.int().positive(), width: z.int().positive() });

export type Bin = z.infer<typeof binSchema>;

/** Sizes whose images are decoded in tiles by default: see models/pixart/decode.ts. */
export const TILED_SIZES: readonly Size[] = ['2k', '4k'];
