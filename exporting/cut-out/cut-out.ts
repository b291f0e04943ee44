import type { Pixels } from '../../images/index.ts';
import { depthsWithin, FAR } from './depths.ts';
import { type Background, distance, GROUND, isEven, readBackground } from './even-background.ts';
import { findGround } from './ground.ts';

export type Cutout = {
  /** Rows from the top, four bytes a pixel: sRGB with straight (not premultiplied) alpha. */
  rgba: Uint8Array;
  width: number;
  height: number;
  /**
   * Whether so much of its rim is close to the background's colour that part of the subject may be gone, or some
   * background left.
   */
  isUnclear: boolean;
};

/** As a share of the shorter side: how far from the background a pixel may still be a mixture with it. */
const RIM = 1 / 64;
const LEAST_RIM = 4;

/** Of 255: a colour just inside the rim that differs less from the background is close to it. */
const CLOSE = 60;

/** As a share of the pixels just inside the rim: if more of them are close to the background, the difference is visible. */
const UNCLEAR = 0.1;

/** Opacities from OPAQUE up count as 1, and up to CLEAR as 0: the rest is a decoder's ripples. */
const OPAQUE = 0.94;
const CLEAR = 0.06;

/**
 * Removes the even background of a picture. Returns `null` if its edges are not an even background, or nothing stands
 * out from it.
 *
 * A pixel at the rim is a mixture, `c = a·f + (1 − a)·b`, of a colour `f` a little further in and the background `b`.
 * Its opacity `a` is how far it is on the way from `b` to `f`. Its new colour is `c` without the background's part, so
 * that no rim of the old background shows on a new one.
 */
export function cutOut(pixels: Pixels): Cutout | null {
  const background = readBackground(pixels);
  if (!isEven(background)) return null;
  const { pixels: ground, standsOut } = findGround(pixels, background);
  if (!ground.includes(0)) return null;
  const { rgb, width, height } = pixels;
  const rim = Math.max(LEAST_RIM, Math.round(Math.min(width, height) * RIM));
  const depths = depthsWithin(rim, ground, width, height);
  const rimOpacity = (at: number): number => {
    const inner = innerPixel(at, depths, width, height);
    return opacityOf(rgb, at, inner, background, width) * standsOut(inner);
  };
  const rgba = new Uint8Array(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    if (ground[at] === GROUND) continue;
    const opacity = depths[at] === FAR ? 1 : rimOpacity(at);
    const row = Math.floor(at / width);
    for (let channel = 0; channel < 3; channel++) {
      const behind = background.rows[row * 3 + channel]!;
      const own = (rgb[at * 3 + channel]! - (1 - opacity) * behind) / opacity;
      rgba[at * 4 + channel] = opacity === 0 ? 0 : Math.max(0, Math.min(255, Math.round(own)));
    }
    rgba[at * 4 + 3] = Math.round(opacity * 255);
  }
  return { rgba, width, height, isUnclear: isUnclear(pixels, background, depths, rim) };
}

/** Whether too many pixels just inside the rim have nearly the background's colour. */
function isUnclear({ rgb, width }: Pixels, { rows }: Background, depths: Int32Array, rim: number): boolean {
  let [inside, close] = [0, 0];
  for (let at = 0; at < depths.length; at++) {
    if (depths[at] === FAR || depths[at]! < (rim - 1) ** 2) continue;
    inside++;
    if (distance(rgb, at * 3, rows, Math.floor(at / width) * 3) < CLOSE) close++;
  }
  return close > UNCLEAR * inside;
}

/** The pixel reached by going straight inwards: beyond the rim, or in the middle of a thinner stroke. */
function innerPixel(at: number, depths: Int32Array, width: number, height: number): number {
  let inner = at;
  for (;;) {
    const [x, y] = [inner % width, Math.floor(inner / width)];
    let deepest = inner;
    for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(width - 1, x + 1); column++) {
        if (depths[row * width + column]! > depths[deepest]!) deepest = row * width + column;
      }
    }
    if (deepest === inner || depths[deepest] === FAR) return deepest;
    inner = deepest;
  }
}

/** How far a pixel's colour is on the way from the background to another pixel's colour, 0 to 1. */
function opacityOf(rgb: Uint8Array, at: number, inner: number, { rows }: Background, width: number): number {
  const [row, innerRow] = [Math.floor(at / width), Math.floor(inner / width)];
  let [along, whole] = [0, 0];
  for (let channel = 0; channel < 3; channel++) {
    const way = rgb[inner * 3 + channel]! - rows[innerRow * 3 + channel]!;
    along += (rgb[at * 3 + channel]! - rows[row * 3 + channel]!) * way;
    whole += way * way;
  }
  const share = whole === 0 ? 1 : along / whole;
  if (share >= OPAQUE) return 1;
  return share <= CLEAR ? 0 : (share - CLEAR) / (OPAQUE - CLEAR);
}
