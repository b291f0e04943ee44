import { createHash } from 'node:crypto';
import stringify from 'safe-stable-stringify';
import { type Picture, pictureOf } from './job.ts';

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** SHA-256, in hexadecimal, of a value's JSON with sorted keys. */
export const digestOf = (value: Record<string, unknown>): string => sha256(stringify(value)).toString('hex');

/**
 * The seed of a row that has none, 0 … 2³² − 1. It follows from the prompt alone, so that trying other steps,
 * guidance, ids or notes starts from the same noise.
 */
export const seedOf = (prompt: string): number => sha256(prompt).readUInt32BE(0);

/**
 * SHA-256 over a picture's canonical parameters. Same key, same image up to float noise.
 * The size counts beside the bin, as positions are scaled by it.
 */
export const renderKey = (picture: Picture, bundleDigest: string, pipelineVersion: number): string =>
  digestOf({ ...pictureOf(picture), bundle: bundleDigest, pipeline: pipelineVersion });
