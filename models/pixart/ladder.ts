import { SMALLER_TILES, type Thrift } from '../../domain/thrift.ts';
import { piecesOf } from './decode-pieces.ts';
import { type GuidedPicture, sharesCall } from './guidance.ts';

/** Where a picture's memory ran out. */
export type RenderStage = 'denoise' | 'decode';

/** What of a picture decides which rungs there are. */
type LadderPicture = Pick<GuidedPicture, 'tokens' | 'weights'> & {
  /** Latents along its sides. */
  height: number;
  width: number;
  /** Of the bundle's decoder: see bundle.ts. */
  onePiece?: number | undefined;
  isGuided: boolean;
  /** It was asked for in one piece, which is another picture than one of tiles. */
  isWhole: boolean;
};

/**
 * The next rung of the ladder, for a picture whose memory ran out on this one: smaller tiles where it was decoded, then
 * one half of guidance at a time, which also leaves the decoder what the transformer would keep. Each rung needs less
 * than the one before.
 *
 * @returns `null` where this machine has no more of them
 */
export function nextRung(picture: LadderPicture, rung: Thrift, stage: RenderStage): Thrift | null {
  const tileLatents = stage === 'decode' && !picture.isWhole ? smallerTile(picture, rung) : undefined;
  if (tileLatents !== undefined) return { ...rung, tileLatents };
  const isBatched = picture.isGuided && sharesCall({ ...picture, ...rung });
  return isBatched ? { ...rung, halves: true } : null;
}

/** The first whose pieces are smaller than what is decoded at once now. */
function smallerTile(picture: LadderPicture, { tileLatents }: Thrift): (typeof SMALLER_TILES)[number] | undefined {
  const { onePiece } = picture;
  const now = piecesOf(picture, { tileLatents, onePiece }).latents;
  return SMALLER_TILES.find((side) => piecesOf(picture, { tileLatents: side }).latents < now);
}
