import { z } from 'zod';
import { sizeSchema } from './size.ts';

export const IMAGE_FORMATS = ['png', 'webp', 'avif', 'jpeg'] as const;

const imageFormatSchema = z.enum(IMAGE_FORMATS);

export type ImageFormat = z.infer<typeof imageFormatSchema>;

/** A file name without its extension and never a path: one segment, no leading dot, at most 200 characters. */
export const jobIdSchema = z
  .string()
  .regex(
    /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}$/,
    'letters, digits, ".", "_" and "-", not starting with ".", at most 200',
  );

/** A SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');

/** Height and width in pixels that are really sampled. */
const binSchema = z.strictObject({ height: z.int().positive(), width: z.int().positive() });

export type Bin = z.infer<typeof binSchema>;

/** One image to make, fully resolved: nothing is left to a default of the place where it runs. */
export const jobSchema = z.strictObject({
  id: jobIdSchema,
  prompt: z.string(),
  negativePrompt: z.string(),
  size: sizeSchema,
  bin: binSchema,
  /** Pixels of the finished image; the bin is resized and centre-cropped to it. */
  width: z.int().positive(),
  height: z.int().positive(),
  seed: z.int().min(0).max(0xffff_ffff),
  steps: z.int().positive(),
  guidance: z.number().min(1),
  format: imageFormatSchema,
  /** 1 … 100 for the lossy formats, null for PNG. */
  quality: z.int().min(1).max(100).nullable(),
  /** 1 (first) … 5 (last). */
  priority: z.int().min(1).max(5),
  /** What identifies the picture: see render-key.ts. */
  renderKey: digestSchema,
  /** The first line of the catalog's row. */
  line: z.int().positive(),
  /** The row's other columns, carried along to the manifest. */
  metadata: z.record(z.string(), z.string()),
});

export type Job = z.infer<typeof jobSchema>;
