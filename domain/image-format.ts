import { z } from 'zod';

export const IMAGE_FORMATS = ['png', 'webp', 'avif', 'jpeg'] as const;

export const imageFormatSchema = z.enum(IMAGE_FORMATS);

export type ImageFormat = z.infer<typeof imageFormatSchema>;

/** What the names of its files end in. */
export const extension = (format: ImageFormat): string => (format === 'jpeg' ? 'jpg' : format);

/** What nobody can tell from the original beside it. */
const LOSSY_QUALITY = 90;

/** The quality where nothing is said of it: PNG keeps every pixel and has none. */
export const standardQuality = (format: ImageFormat): number | null => (format === 'png' ? null : LOSSY_QUALITY);
