import type { Thrift } from '../../domain/thrift.ts';
import type { TileSize } from './tiles.ts';

/** What is decoded in one piece: all bins of 1024 px and below, 2048 × 512 among them. */
const ONE_PIECE = 136 * 128;

/** 1024 px and a quarter of it, as in the reference's tiled decoding. */
const USUAL_TILE = 128;

type Sides = { height: number; width: number };

export type Pieces = {
  /** `null` where the picture is decoded in one piece. */
  tile: TileSize | null;
  /** The most latents that are decoded at once, those that the statistics are read from among them. */
  latents: number;
  /** For the statistics, every so many latents one along both sides. */
  every: number;
};

/** How latents are cut for the decoder. */
export function piecesOf({ height, width }: Sides, { tileLatents }: Pick<Thrift, 'tileLatents'>): Pieces {
  const most = tileLatents === undefined ? ONE_PIECE : tileLatents ** 2;
  if (height * width <= most) return { tile: null, latents: height * width, every: 1 };
  const length = tileLatents ?? USUAL_TILE;
  const every = Math.ceil(Math.sqrt((height * width) / most));
  const thinned = Math.ceil(height / every) * Math.ceil(width / every);
  const tile = Math.min(length, height) * Math.min(length, width);
  return { tile: { length, overlap: length / 4 }, latents: Math.max(thinned, tile), every };
}
