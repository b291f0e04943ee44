import { createHash } from 'node:crypto';
import { Turns } from '../../domain/turns.ts';

/** Drawing a number takes as long as this many cells of a table. */
const DRAW_CELLS = 10;

/**
 * Draws distinct numbers from 0 to `count` − 1, every set with the same probability, and returns them in ascending order.
 * The same seed draws the same numbers.
 *
 * Source: R. W. Floyd in J. Bentley, "Programming Pearls: A Sample of Brilliance", CACM 30 (1987), algorithm F2.
 */
export async function drawIndices(count: bigint, wanted: number, seed: string): Promise<bigint[]> {
  const turns = new Turns();
  const drawn = new Set<bigint>();
  const first = count > BigInt(wanted) ? count - BigInt(wanted) : 0n;
  for (let last = first; last < count; last += 1n) {
    const index = randomBelow(last + 1n, `${seed} ${last}`);
    drawn.add(drawn.has(index) ? last : index);
    await turns.after(DRAW_CELLS);
  }
  return [...drawn].sort((a, b) => (a < b ? -1 : 1));
}

/** Uses eight bytes more than the bound, so that the bias of the remainder is below 2⁻⁵⁶. */
function randomBelow(bound: bigint, seed: string): bigint {
  const bytes = Math.ceil(bound.toString(16).length / 2) + 8;
  const digest = createHash('shake256', { outputLength: bytes }).update(seed).digest('hex');
  return BigInt(`0x${digest}`) % bound;
}
