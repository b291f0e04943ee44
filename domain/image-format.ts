import { z } from 'zod';

export const IMAGE_FORMATS = ['png', 'webp', 'avif', 'jpeg'] as const;

export const imageFormatSchema = z.enum(IMAGE_FORMATS);

export type ImageFormat = z.infer<typeof imageFormatSchema>;

/** The file extension of a format. */
export const extension = (format: ImageFormat): string => (format === 'jpeg' ? 'jpg' : format);

/** Visually indistinguishable from the original. */
const LOSSY_QUALITY = 90;

/** The default quality; PNG is lossless and has none. */
export const standardQuality = (format: ImageFormat): number | null => (format === 'png' ? null : LOSSY_QUALITY);
