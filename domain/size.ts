import { z } from 'zod';

/** The presets. Each has its own table of bins and its own task queue. */
export const SIZES = ['256', '512', '1024', '2k', '4k'] as const;

export const sizeSchema = z.enum(SIZES);

export type Size = z.infer<typeof sizeSchema>;
