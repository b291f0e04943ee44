import type { Pixels } from '../../images/index.ts';
import { type Background, distance, GROUND } from './even-background.ts';
import { takeWhatItFadesInto } from './fading.ts';
import { pieces } from './pieces.ts';

/** Of 255: the least variation that counts as noise, as in a background drawn by a decoder. */
const LEAST_NOISE = 14;

/** A subject has at least one pixel that differs from the background by this many times the noise. */
const STANDS_OUT = 3;

/** Of 255: a colour whose channels differ less than this is a grey, like the whites of eyes, lights and outlines. */
const COLOURFUL = 40;

/** As a share of the picture: anything smaller is a speck, whether of the background or on it. */
const SPECK = 1 / 3_000;

/** The number of pixels along a picture's edge where a decoder draws spurious lines. */
const FRAME = 4;

/** A picture's background, separated from its subject. */
type Ground = {
  /** GROUND, or 0, for each pixel. */
  pixels: Uint8Array;
  /** How far a pixel's colour is from the background's, on the scale of opacity: 0 for noise, 1 if it surely stands out. */
  standsOut(at: number): number;
};

/**
 * Separates a picture's background from its subject. Pixels of the background's colour that connect to an edge are
 * background. Enclosed ones, such as the hole of a ring, are background too unless that colour is a grey: a white eye
 * on white stays.
 */
export function findGround({ rgb, width, height }: Pixels, background: Background): Ground {
  const noise = Math.max(LEAST_NOISE, background.unevenness);
  const differs = new Uint8Array(width * height);
  for (let at = 0; at < differs.length; at++) {
    differs[at] = Math.min(255, distance(rgb, at * 3, background.rows, Math.floor(at / width) * 3));
  }
  const standsOut = (at: number): number => (differs[at]! - noise) / (noise * (STANDS_OUT - 1));
  const pixels = new Uint8Array(width * height);
  for (const piece of pieces((at) => differs[at]! <= noise, width, height)) {
    if (piece.touchesEdge || isHole(piece.pixels, background, width, height)) mark(pixels, piece.pixels);
  }
  takeWhatItFadesInto(pixels, { rgb, width, height }, (at) => differs[at]! <= noise * STANDS_OUT);
  for (const piece of pieces((at) => pixels[at] !== GROUND, width, height)) {
    const isSpeck = piece.pixels.length < SPECK * pixels.length || piece.depth < FRAME;
    if (isSpeck || !piece.pixels.some((at) => standsOut(at) >= 1)) mark(pixels, piece.pixels);
  }
  return { pixels, standsOut: (at) => Math.max(0, Math.min(1, standsOut(at))) };
}

function mark(ground: Uint8Array, pixels: Int32Array): void {
  for (const at of pixels) ground[at] = GROUND;
}

function isHole(pixels: Int32Array, { rows }: Background, width: number, height: number): boolean {
  if (pixels.length < SPECK * width * height) return false;
  const row = Math.floor(pixels[pixels.length >> 1]! / width);
  const colour = rows.subarray(row * 3, row * 3 + 3);
  return Math.max(...colour) - Math.min(...colour) >= COLOURFUL;
}
