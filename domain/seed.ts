import { sha256 } from './digest.ts';

/**
 * The seed of a row that has none, 0 … 2³² − 1. It follows from the prompt alone, so that trying other steps,
 * guidance, ids or notes starts from the same noise.
 *
 * @param batch where every batch is to have seeds of its own: with it they follow from its id too
 */
export const seedOf = (prompt: string, batch?: string): number =>
  Number.parseInt(sha256(batch === undefined ? prompt : `${batch}\n${prompt}`).slice(0, 8), 16);
