import { z } from 'zod';
import { digestSchema, type Job, pictureSchema } from '../domain/job.ts';
import { SMALLER_TILES, type Thrift } from '../domain/thrift.ts';
import project from '../package.json' with { type: 'json' };

/** The file is of the format itself; bin and quality are told in other words than a job has. */
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
  /** Of a lossy format; files of earlier versions do not say. */
  quality: quality.unwrap().optional(),
  /** Of a picture that was put together of smaller tiles than usual, for want of memory: latents along a tile's side. */
  tileLatents: z.literal(SMALLER_TILES).optional(),
  renderKey: digestSchema,
  bundleName: z.string(),
  bundleDigest: digestSchema,
  software: z.string(),
});

/** What an image file says of its own making; enough to make it again. */
export type ImageMetadata = z.infer<typeof metadataSchema>;

/** Parsing leaves out what else a job has, and puts the rest in the file's order. */
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
    tileLatents,
    bundleName: bundle.name,
    bundleDigest: bundle.digest,
    software: `${project.name} ${project.version}`,
  });

/** The metadata that these texts say, `null` where one is missing or wrong. */
export function parseMetadata(texts: ReadonlyMap<string, unknown>): ImageMetadata | null {
  const values = Object.entries(metadataSchema.shape).map(([name, schema]) => [
    name,
    fromText(schema, texts.get(name)),
  ]);
  return metadataSchema.safeParse(Object.fromEntries(values)).data ?? null;
}

/** What a property's text stands for; what stands for nothing stays as it is, and its schema refuses it. */
function fromText(schema: z.ZodType, text: unknown): unknown {
  if (isText(schema) || typeof text !== 'string') return text;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Whether a property's value is a text itself; the others are numbers and the like. */
const isText = (schema: z.ZodType): boolean =>
  schema instanceof z.ZodOptional
    ? isText(schema.unwrap() as z.ZodType)
    : schema instanceof z.ZodString || schema instanceof z.ZodEnum;
