import { sha256 } from './digest.ts';

/**
 * The seed of a row without one, 0 … 2³² − 1. It depends only on the prompt, so that other steps, guidance, ids or notes start
 * from the same noise.
 *
 * @param batch id of the batch, to give every batch its own seeds
 */
export const seedOf = (prompt: string, batch?: string): number =>
  Number.parseInt(sha256(batch === undefined ? prompt : `${batch}\n${prompt}`).slice(0, 8), 16);
