import { z } from 'zod';
import { digestSchema, type Job } from '../domain/job.ts';
import { sizeSchema } from '../domain/size.ts';
import project from '../package.json' with { type: 'json' };

/** The properties in the file, in this order. */
export const metadataSchema = z.object({
  prompt: z.string(),
  negativePrompt: z.string(),
  size: sizeSchema,
  /** Pixels that were sampled. */
  binWidth: z.coerce.number().int().positive(),
  binHeight: z.coerce.number().int().positive(),
  /** Pixels of the picture. */
  width: z.coerce.number().int().positive(),
  height: z.coerce.number().int().positive(),
  seed: z.coerce.number().int().min(0),
  steps: z.coerce.number().int().positive(),
  guidance: z.coerce.number(),
  /** Of a lossy format; files of earlier versions do not say. */
  quality: z.coerce.number().int().min(1).max(100).optional(),
  renderKey: digestSchema,
  bundleName: z.string(),
  bundleDigest: digestSchema,
  software: z.string(),
});

/** What an image file says of its own making; enough to make it again. */
export type ImageMetadata = z.infer<typeof metadataSchema>;

export function imageMetadata(job: Job, bundle: { name: string; digest: string }): ImageMetadata {
  const { prompt, negativePrompt, size, bin, width, height, seed, steps, guidance, quality, renderKey } = job;
  return {
    prompt,
    negativePrompt,
    size,
    binWidth: bin.width,
    binHeight: bin.height,
    width,
    height,
    seed,
    steps,
    guidance,
    ...(quality !== null && { quality }),
    renderKey,
    bundleName: bundle.name,
    bundleDigest: bundle.digest,
    software: `${project.name} ${project.version}`,
  };
}
