import type { PictureInHand } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';

/** One worker renders a few images at a time, but a fleet renders many. */
const SHOWN = 6;

/** `in hand: fox, step 12 of 20; owl, step 3 of 20; … and 4 more`; no line if nothing is in hand. */
export function inHandText(pictures: readonly PictureInHand[]): string[] {
  if (pictures.length === 0) return [];
  const shown = pictures
    .slice(0, SHOWN)
    .map(({ id, step, steps }) => `${oneLine(id ?? 'one')}, step ${step} of ${steps}`);
  const more = pictures.length - shown.length;
  return [`in hand: ${[...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('; ')}`];
}
