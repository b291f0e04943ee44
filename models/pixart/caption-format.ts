import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestSchema } from '../../domain/job.ts';
import type { Caption } from './captions.ts';
import { PIPELINE_VERSION } from './pipeline-version.ts';
import { openFloats, sealFloats } from './sealed-floats.ts';

/**
 * Which caption it is: the same for the same tokens of any text, by an encoder of the same bytes.
 *
 * @param encoder the bundle's encoderDigest, which stands for the weights' precision too
 * @param ids of a text that a PromptReader has read
 * @param version of the pipeline: that of another one is another caption
 * @returns a SHA-256, in hexadecimal
 */
export const captionKey = (encoder: string, ids: readonly number[], version = PIPELINE_VERSION): string =>
  createHash('sha256')
    .update(JSON.stringify([version, encoder, ids]))
    .digest('hex');

/** What a kept caption is expected to be. */
export type CaptionOwner = {
  key: string;
  tokens: number;
  /** Of the transformer. */
  width: number;
};

const headerSchema = z.strictObject({
  format: z.literal('pixart-batch caption 1'),
  key: digestSchema,
  tokens: z.int().positive(),
  width: z.int().positive(),
});

const HEADER_BYTES = 1024;

/** What is longer is not this caption, and is not worth its memory. */
export const largestCaption = ({ tokens, width }: CaptionOwner): number =>
  HEADER_BYTES + Float32Array.BYTES_PER_ELEMENT * tokens * width;

/** In float32, so that a picture is the same to its last bit whether its caption was kept or has just been encoded. */
export function encodeCaption({ key, tokens, width }: CaptionOwner, { states }: Caption): Uint8Array {
  const header: z.infer<typeof headerSchema> = { format: 'pixart-batch caption 1', key, tokens, width };
  return sealFloats(header, [states]);
}

/** @returns the caption, or a sentence that says why these bytes are not this owner's */
export function decodeCaption(owner: CaptionOwner, bytes: Uint8Array): Caption | string {
  const most = largestCaption(owner);
  if (bytes.length > most) return `expected at most ${most} bytes, found more`;
  const opened = openFloats(bytes);
  if (typeof opened === 'string') return opened;
  const { data: header } = headerSchema.safeParse(opened.header);
  if (header === undefined) return 'its header is not one that this version writes';
  for (const name of ['key', 'tokens', 'width'] as const) {
    if (header[name] !== owner[name]) return `expected ${name} ${owner[name]}, found ${header[name]}`;
  }
  if (opened.floats.length !== owner.tokens * owner.width) return 'its parts do not fit';
  if (!opened.floats.every(Number.isFinite)) return 'its numbers are not all finite';
  return { states: opened.floats, tokens: owner.tokens };
}
