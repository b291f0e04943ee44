import { createHash } from 'node:crypto';
import { z } from 'zod';
import { digestSchema } from '../../domain/job.ts';
import { PIPELINE_VERSION } from './pipeline-version.ts';
import type { SamplerState } from './samplers/sampler.ts';

/**
 * A sampler's state in bytes:
 *
 *   SHA-256 of all that follows, 32 bytes
 *   the header's length, uint32, and the header, JSON padded with spaces to a multiple of 4
 *   the sampler's arrays, one after another: float32, little-endian, as every machine that we serve has them
 */
const HASH_BYTES = 32;
const LENGTH_BYTES = 4;
const FLOAT_BYTES = 4;

/** Far above the 4 MB of a 4K image: what is larger is not ours, and is not worth its memory. */
export const LARGEST_CHECKPOINT_BYTES = 64 * 1024 * 1024;

/** Whose state it is. The render key covers every parameter of the picture; the rest says it again for whoever looks. */
export type CheckpointOwner = { renderKey: string; bundleDigest: string; steps: number };

const headerSchema = z.strictObject({
  format: z.literal('pixart-batch checkpoint 1'),
  pipelineVersion: z.int(),
  renderKey: digestSchema,
  bundleDigest: digestSchema,
  steps: z.int().positive(),
  step: z.int().positive(),
  /** Numbers in each of the arrays. */
  length: z.int().positive(),
  /** Left out where there are two, as those wrote it that knew DPM-Solver++ only; they ignore a header that says it. */
  arrays: z.int().positive().default(2),
});

type Header = z.infer<typeof headerSchema>;

export function encodeCheckpoint(owner: CheckpointOwner, { step, arrays }: SamplerState): Uint8Array {
  const { renderKey, bundleDigest, steps } = owner;
  const header: z.input<typeof headerSchema> = {
    format: 'pixart-batch checkpoint 1',
    pipelineVersion: PIPELINE_VERSION,
    renderKey,
    bundleDigest,
    steps,
    step,
    length: arrays[0]!.length,
    ...(arrays.length !== 2 && { arrays: arrays.length }),
  };
  const text = JSON.stringify(header);
  const json = Buffer.from(text.padEnd(Math.ceil(text.length / FLOAT_BYTES) * FLOAT_BYTES));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(json.length);
  const parts = [length, json, ...arrays.map(bytesOf)];
  return Buffer.concat([sha256(parts), ...parts]);
}

/**
 * Reads a checkpoint back.
 *
 * @returns the state, or a sentence that says why these bytes are not one of this owner's
 */
export function decodeCheckpoint(owner: CheckpointOwner, bytes: Uint8Array): SamplerState | string {
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).subarray(HASH_BYTES);
  if (body.length < LENGTH_BYTES) return `expected a header, found ${bytes.length} bytes in all`;
  if (!sha256([body]).equals(bytes.subarray(0, HASH_BYTES))) return 'its checksum does not match';
  const arraysAt = LENGTH_BYTES + body.readUInt32LE();
  const header = parseHeader(body.subarray(LENGTH_BYTES, arraysAt));
  if (header === null) return 'its header is not one that this version writes';
  const other = otherOwner(header, owner);
  if (other !== null) return other;
  const bytesEach = FLOAT_BYTES * header.length;
  if (body.length - arraysAt !== header.arrays * bytesEach || header.step > header.steps) return 'its parts do not fit';
  const arrays = Array.from({ length: header.arrays }, (_, i) => {
    const from = arraysAt + i * bytesEach;
    return floatsOf(body.subarray(from, from + bytesEach));
  });
  return { step: header.step, arrays };
}

function parseHeader(json: Buffer): Header | null {
  try {
    return headerSchema.safeParse(JSON.parse(json.toString())).data ?? null;
  } catch {
    return null;
  }
}

function otherOwner(header: Header, owner: CheckpointOwner): string | null {
  const expected = { ...owner, pipelineVersion: PIPELINE_VERSION };
  for (const name of ['renderKey', 'bundleDigest', 'steps', 'pipelineVersion'] as const) {
    if (header[name] !== expected[name]) return `expected ${name} ${expected[name]}, found ${header[name]}`;
  }
  return null;
}

function sha256(parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A copy: the bytes need not lie where floats may begin, and whoever read them may let them go. */
const floatsOf = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);
