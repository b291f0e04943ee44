import type { Pixels } from '../../images/index.ts';
import { eachBeside } from './beside.ts';
import { distance, GROUND } from './even-background.ts';

/** Of 255: neighbours that differ by no more than this are one fading colour; at an edge they differ by more. */
const FADES = 6;

/**
 * Adds to the background the pixels that it fades into. Around a subject, a decoder lightens or darkens the background
 * gradually, by more than noise, while the subject's own edge is a step.
 *
 * @param ground GROUND, or 0, for each pixel; changed
 * @param isNear whether a pixel's colour may still be the background's
 */
export function takeWhatItFadesInto(
  ground: Uint8Array,
  { rgb, width, height }: Pixels,
  isNear: (at: number) => boolean,
): void {
  const front: number[] = [];
  const take = (at: number, from: number): void => {
    if (ground[at] === GROUND || !isNear(at) || distance(rgb, at * 3, rgb, from * 3) > FADES) return;
    ground[at] = GROUND;
    front.push(at);
  };
  const takeAround = (from: number): void => eachBeside(from, width, height, (at) => take(at, from));
  for (let at = 0; at < ground.length; at++) if (ground[at] === GROUND) takeAround(at);
  for (let next = 0; next < front.length; next++) takeAround(front[next]!);
}
