import type { Thrift } from '../../domain/thrift.ts';
import type { TileSize } from './tiles.ts';

/** What is decoded in one piece where a bundle says nothing: all bins of 1024 px and below, 2048 × 512 among them. */
const ONE_PIECE = 136 * 128;

/** 1024 px and a quarter of it, as in the reference's tiled decoding. */
const USUAL_TILE = 128;

type Sides = { height: number; width: number };

export type Pieces = {
  /** `null` where the picture is decoded in one piece. */
  tile: TileSize | null;
  /** The most latents that are decoded at once, those that the statistics are read from among them. */
  latents: number;
  /** For the statistics, every nth latent along both sides. */
  every: number;
};

/** What decides about pieces besides the picture's size: less memory than usual, and what the bundle says. */
export type PieceLimits = Pick<Thrift, 'tileLatents'> & {
  /** Of the bundle's decoder: see bundle.ts. */
  onePiece?: number | undefined;
};

/** How latents are cut for the decoder. */
export function piecesOf({ height, width }: Sides, { tileLatents, onePiece = ONE_PIECE }: PieceLimits): Pieces {
  const most = tileLatents === undefined ? onePiece : tileLatents ** 2;
  if (height * width <= most) return { tile: null, latents: height * width, every: 1 };
  const length = tileLatents ?? USUAL_TILE;
  // Of what is cut into tiles no pass needs more than the tiles of a bundle that says nothing.
  const every = Math.ceil(Math.sqrt((height * width) / Math.min(most, ONE_PIECE)));
  const thinned = Math.ceil(height / every) * Math.ceil(width / every);
  const tile = Math.min(length, height) * Math.min(length, width);
  return { tile: { length, overlap: length / 4 }, latents: Math.max(thinned, tile), every };
}
