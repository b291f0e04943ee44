import { z } from 'zod';

/** Latents along a side of a tile, where the usual tiles or the whole picture had no room. */
export const SMALLER_TILES = [64, 32] as const;

/** The type of the failure of a picture for which no rung of the ladder has room on its machine. */
export const TOO_LITTLE_MEMORY = 'TooLittleMemory';

/** What was done with less memory than usual while a picture was made: see models/pixart/ladder.ts. */
export const thriftSchema = z.object({
  tileLatents: z.literal(SMALLER_TILES).optional(),
  /** Negative prompt and prompt went through the transformer one after the other. */
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
