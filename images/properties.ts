import { z } from 'zod';
import { digestSchema, type Job, pictureSchema } from '../domain/job.ts';
import { SMALLER_TILES, type Thrift } from '../domain/thrift.ts';
import project from '../package.json' with { type: 'json' };

/** The file itself shows the format; bin and quality have a different form than in a job. */
const { bin, format, quality, prompt, negativePrompt, size, ...others } = pictureSchema.shape;

/** The properties in the file, in this order. */
const metadataSchema = z.object({
  prompt,
  negativePrompt,
  size,
  /** Pixels that were sampled. */
  binWidth: bin.shape.width,
  binHeight: bin.shape.height,
  ...others,
  /** For lossy formats; absent in files of earlier versions. */
  quality: quality.unwrap().optional(),
  /** Latents along a tile's side, if the image was decoded in smaller tiles for lack of memory. */
  tileLatents: z.literal(SMALLER_TILES).optional(),
  renderKey: digestSchema,
  bundleName: z.string(),
  bundleDigest: digestSchema,
  software: z.string(),
});

/** The record in an image file of how it was made; enough to render it again. */
export type ImageMetadata = z.infer<typeof metadataSchema>;

/** The metadata for a job's file. Parsing drops other fields of the job, and orders the rest. */
export const imageMetadata = (
  job: Job,
  bundle: { name: string; digest: string },
  tileLatents?: Thrift['tileLatents'],
): ImageMetadata =>
  metadataSchema.parse({
    ...job,
    binWidth: job.bin.width,
    binHeight: job.bin.height,
    quality: job.quality ?? undefined,
    ...(tileLatents !== undefined && { tileLatents }),
    bundleName: bundle.name,
    bundleDigest: bundle.digest,
    software: `${project.name} ${project.version}`,
  });

/** The metadata from these texts; `null` if one is missing or invalid. */
export function parseMetadata(texts: ReadonlyMap<string, unknown>): ImageMetadata | null {
  const values = Object.entries(metadataSchema.shape).map(([name, schema]) => [
    name,
    fromText(schema, texts.get(name)),
  ]);
  return metadataSchema.safeParse(Object.fromEntries(values)).data ?? null;
}

/** Parses a property's text; text that cannot be parsed stays as it is, and the schema refuses it. */
function fromText(schema: z.ZodType, text: unknown): unknown {
  if (isText(schema) || typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a property's value is a text, as opposed to a number or the like. */
const isText = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodOptional
    ? isText(schema.unwrap() as z.ZodType)
    : schema instanceof z.ZodString || schema instanceof z.ZodEnum;
