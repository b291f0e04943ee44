import { UserError } from '../../domain/user-error.ts';
import type { Pixels } from '../../images/index.ts';

/** Bundles whose pictures stand on one colour, or on a blend of two from top to bottom: they were trained on nothing else. */
const EVEN = ['pixart-icons', 'pixart-icons-4-steps'];

/** @throws UserError where a bundle's pictures have no background that could be told from what stands on it by its colour */
export function checkCutOut({ name }: { name: string }): void {
  if (EVEN.includes(name)) return;
  throw new UserError(
    `a transparent background: expected a batch of ${EVEN.join(' or ')}, whose pictures stand on an even background, found one of ${name}: ` +
      'nothing says what of its pictures is background. Export them as they are, and cut them out with a program that knows such pictures',
  );
}

/** Pixels at the left and right edge of a row that its background is read off. */
const EDGE = 4;

/** Rows over which it is smoothed, as a share of the height: a decoder's ripples are finer, a blend of two colours is coarser. */
const SMOOTH = 1 / 24;

/** Of 255: edges that differ more among themselves have something else on them than a background. */
const MOST_UNEVEN = 28;

/** What a pixel is where it is of the background; 0 where it is of what stands on it. */
export const GROUND = 1;

/** The colour of a picture's background in each row, red, green and blue, and how far its edges stray from it at the most but for one pixel in fifty. */
export type Background = { rows: Float64Array; unevenness: number };

/** Reads a picture's background off its left and right edge. */
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

/** Whether it is a background that something can be told from. */
export const isEven = ({ unevenness }: Background): boolean => unevenness <= MOST_UNEVEN;

/** How far two colours are apart: the channel in which they differ most. */
export const distance = (a: ArrayLike<number>, atA: number, b: ArrayLike<number>, atB: number): number =>
  Math.max(Math.abs(a[atA]! - b[atB]!), Math.abs(a[atA + 1]! - b[atB + 1]!), Math.abs(a[atA + 2]! - b[atB + 2]!));

const median = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

/** Each row as the mean of the medians around it; where something touches an edge, the rows beside it count too. */
function smoothed(medians: Float64Array, height: number, reach: number): Float64Array {
  const rows = new Float64Array(height * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < height; row++) {
      // As many rows above as below: a blend's mean is then its middle, also near the ends.
      const around = Math.min(reach, row, height - 1 - row);
      let sum = 0;
      for (let other = row - around; other <= row + around; other++) sum += medians[other * 3 + channel]!;
      rows[row * 3 + channel] = sum / (2 * around + 1);
    }
  }
  return rows;
}
