import { UserError } from '../../domain/user-error.ts';
import type { Pixels } from '../../images/index.ts';

/** Bundles trained only on pictures with one background colour, or a gradient of two from top to bottom. */
const EVEN = ['pixart-icons', 'pixart-icons-4-steps'];

/** @throws UserError if the background of a bundle's pictures cannot be recognised by its colour */
export function checkCutOut({ name }: { name: string }): void {
  if (EVEN.includes(name)) return;
  throw new UserError(
    `a transparent background: expected a batch of ${EVEN.join(' or ')}, whose images have an even background, found one of ${name}, ` +
      'whose background is unknown. Export its images as they are, and cut them out with another program',
  );
}

/** The number of pixels at the left and right edge of a row from which its background is read. */
const EDGE = 4;

/** Over how many rows to smooth, as a share of the height: a decoder's ripples are finer, a gradient is coarser. */
const SMOOTH = 1 / 24;

/** Of 255: edges that vary more than this show something other than a background. */
const MOST_UNEVEN = 28;

/** The mark of a background pixel; a subject's pixel is 0. */
export const GROUND = 1;

/** The background's RGB colour in each row, and the 98th percentile of how far the edges' pixels differ from it. */
export type Background = { rows: Float64Array; unevenness: number };

/** Reads a picture's background from its left and right edge. */
export function readBackground({ rgb, width, height }: Pixels): Background {
  const edge = Math.min(EDGE, width);
  const columns = Array.from({ length: edge }, (_, at) => [at, width - 1 - at]).flat();
  const medians = new Float64Array(height * 3);
  for (let row = 0; row < height; row++) {
    for (let channel = 0; channel < 3; channel++) {
      medians[row * 3 + channel] = median(columns.map((column) => rgb[(row * width + column) * 3 + channel]!));
    }
  }
  const rows = smoothed(medians, height, Math.max(1, Math.round(height * SMOOTH)));
  const strays: number[] = [];
  for (let row = 0; row < height; row++) {
    for (const column of columns) strays.push(distance(rgb, (row * width + column) * 3, rows, row * 3));
  }
  return { rows, unevenness: strays.sort((a, b) => a - b)[Math.floor(strays.length * 0.98)]! };
}

/** Whether the background is even enough to distinguish a subject from it. */
export const isEven = ({ unevenness }: Background): boolean => unevenness <= MOST_UNEVEN;

/** How far two colours are apart: the channel in which they differ most. */
export const distance = (a: ArrayLike<number>, atA: number, b: ArrayLike<number>, atB: number): number =>
  Math.max(Math.abs(a[atA]! - b[atB]!), Math.abs(a[atA + 1]! - b[atB + 1]!), Math.abs(a[atA + 2]! - b[atB + 2]!));

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** Each row as the mean of the medians around it, so that a row where something touches the edge is corrected by its neighbours. */
function smoothed(medians: Float64Array, height: number, reach: number): Float64Array {
  const rows = new Float64Array(height * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < height; row++) {
      // The same number of rows above and below: the mean of a gradient is then its middle, even near the ends.
      const around = Math.min(reach, row, height - 1 - row);
      let sum = 0;
      for (let other = row - around; other <= row + around; other++) sum += medians[other * 3 + channel]!;
      rows[row * 3 + channel] = sum / (2 * around + 1);
    }
  }
  return rows;
}
