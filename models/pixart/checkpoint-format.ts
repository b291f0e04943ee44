import { z } from 'zod';
import { digestSchema } from '../../domain/job.ts';
import { PIPELINE_VERSION } from './pipeline-version.ts';
import type { SamplerState } from './samplers/sampler.ts';
import { openFloats, sealFloats } from './sealed-floats.ts';

/** Far above the 4 MB of a 4K image: larger files are not ours, and not worth the memory. */
export const LARGEST_CHECKPOINT_BYTES = 64 * 1024 * 1024;

/** Whose state it is. The render key covers every parameter of the picture; the rest repeats it for people. */
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
  return sealFloats(header, arrays);
}

/**
 * Reads a checkpoint back.
 *
 * @returns the state, or a sentence that says why these bytes are not one of this owner's
 */
export function decodeCheckpoint(owner: CheckpointOwner, bytes: Uint8Array): SamplerState | string {
  const opened = openFloats(bytes);
  if (typeof opened === 'string') return opened;
  const { data: header } = headerSchema.safeParse(opened.header);
  if (header === undefined) return 'its header is not one that this version writes';
  const other = otherOwner(header, owner);
  if (other !== null) return other;
  const { step, steps, length, arrays } = header;
  if (opened.floats.length !== arrays * length || step > steps) return 'its parts do not fit';
  return { step, arrays: Array.from({ length: arrays }, (_, i) => opened.floats.slice(i * length, (i + 1) * length)) };
}

function otherOwner(header: Header, owner: CheckpointOwner): string | null {
  const expected = { ...owner, pipelineVersion: PIPELINE_VERSION };
  for (const name of ['renderKey', 'bundleDigest', 'steps', 'pipelineVersion'] as const) {
    if (header[name] !== expected[name]) return `expected ${name} ${expected[name]}, found ${header[name]}`;
  }
  return null;
}
