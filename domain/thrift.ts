import { z } from 'zod';

/** Latents along a side of a tile, if memory is too small for normal tiles or the whole image. */
export const SMALLER_TILES = [64, 32] as const;

/** Failure type of an image for which no rung of the ladder fits into the machine's memory. */
export const TOO_LITTLE_MEMORY = 'TooLittleMemory';

/** Measures that saved memory while an image was rendered: see models/pixart/ladder.ts. */
export const thriftSchema = z.object({
  tileLatents: z.literal(SMALLER_TILES).optional(),
  /** Negative prompt and prompt went through the transformer one after another. */
  halves: z.literal(true).optional(),
});

export type Thrift = z.infer<typeof thriftSchema>;

export const isThrifty = ({ tileLatents, halves }: Thrift): boolean => tileLatents !== undefined || halves === true;

/** `in tiles of 64 latents, one half of guidance at a time`; for people. */
export const thriftText = ({ tileLatents, halves }: Thrift): string =>
  [
    ...(tileLatents === undefined ? [] : [`in tiles of ${tileLatents} latents`]),
    ...(halves ? ['one half of guidance at a time'] : []),
  ].join(', ');
