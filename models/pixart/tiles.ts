/** One tile along one axis. */
type Tile = {
  /** Its first latent, and how many it has. */
  start: number;
  length: number;
  /** For each of its pixels, its share of the blended image; the shares of all tiles add up to 1 at every pixel. */
  shares: Float32Array;
};

export type TileSize = {
  /** Latents a tile has. */
  length: number;
  /** Latents that neighbours share at least, and over which they are blended: at most a third of the length. */
  overlap: number;
};

/**
 * Covers an axis with tiles at equal distances. All tiles have the full length, so that a network with normalisation over
 * its input sees as much of the picture at the edge as anywhere else; neighbours are blended linearly in the middle of what
 * they share, so that no pixel comes from three.
 *
 * @param axis latents to cover
 * @param factor pixels a latent
 */
export function tileAxis(axis: number, { length, overlap }: TileSize, factor: number): Tile[] {
  if (axis <= length) return [{ start: 0, length: axis, shares: new Float32Array(axis * factor).fill(1) }];
  const count = Math.ceil((axis - overlap) / (length - overlap));
  const starts = Array.from({ length: count }, (_, i) => Math.round((i * (axis - length)) / (count - 1)));
  const seams = starts.slice(1).map((start, i) => ((start + starts[i]! + length) / 2) * factor);
  return starts.map((start, i) => ({
    start,
    length,
    shares: Float32Array.from(
      { length: length * factor },
      (_, k) =>
        risingShare(start * factor + k, seams[i - 1], overlap * factor) -
        (seams[i] === undefined ? 0 : risingShare(start * factor + k, seams[i], overlap * factor)),
    ),
  }));
}

/** How far a pixel is across a seam: 0 before it, 1 after it, in equal parts over the width; 1 where there is no seam. */
function risingShare(pixel: number, seam: number | undefined, width: number): number {
  if (seam === undefined) return 1;
  return Math.min(1, Math.max(0, (pixel + 0.5 - seam) / width + 0.5));
}
