import { GROUND } from './even-background.ts';

/** The depth of a pixel that has no background within reach. */
export const FAR = 0x7fff_ffff;

const NONE = -1;

/**
 * The square of each pixel's distance from the nearest background pixel: 0 in the background, FAR beyond the reach.
 * Computed step by step from the background inwards: each pixel passes the nearest one that it knows on to its
 * neighbours.
 */
export function depthsWithin(reach: number, ground: Uint8Array, width: number, height: number): Int32Array {
  const nearest = new Int32Array(width * height).fill(NONE);
  const depths = new Int32Array(width * height).fill(FAR);
  const offer = (at: number, x: number, y: number, from: number, next: number[]): void => {
    const depth = (x - (from % width)) ** 2 + (y - Math.floor(from / width)) ** 2;
    if (depth > reach * reach || depth >= depths[at]!) return;
    nearest[at] = from;
    depths[at] = depth;
    next.push(at);
  };
  const offerAround = (at: number, from: number, next: number[]): void => {
    const [x, y] = [at % width, Math.floor(at / width)];
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        const beside = row * width + column;
        if (ground[beside] !== GROUND) offer(beside, column, row, from, next);
      }
    }
  };
  let front: number[] = [];
  for (let at = 0; at < ground.length; at++) {
    if (ground[at] !== GROUND) continue;
    depths[at] = 0;
    offerAround(at, at, front);
  }
  while (front.length > 0) {
    const next: number[] = [];
    for (const at of front) offerAround(at, nearest[at]!, next);
    front = next;
  }
  return depths;
}
