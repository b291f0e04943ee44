import { sha256 } from './digest.ts';

/**
 * The seed of a row that has none, 0 … 2³² − 1. It follows from the prompt alone, so that trying other steps,
 * guidance, ids or notes starts from the same noise.
 */
export const seedOf = (prompt: string): number => sha256(prompt).readUInt32BE(0);
