import { binsOf } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import { type Bundle, encoderMemory, type Networks, networksOf, painterMemoryOfAll } from '../pixart/index.ts';
import { availableMemory } from './processor.ts';

/**
 * How many processes there is memory for just now, all of them painting the largest picture of these sizes, beside the one that encodes texts:
 * at least one, and one where nothing can be predicted.
 */
export function mostChildren(bundle: Bundle, sizes: readonly Size[]): number {
  const networks = networksFrom(bundle);
  const painter =
    networks &&
    painterMemoryOfAll(
      networks,
      sizes.flatMap(binsOf).map((bin) => ({ bin })),
    );
  if (!painter) return 1;
  return Math.max(1, Math.floor((availableMemory() - encoderMemory(networks).total) / painter.total));
}

/** `null` for a damaged bundle: what is wrong with it, whoever verifies it says better. */
function networksFrom(bundle: Bundle): Networks | null {
  try {
    return networksOf(bundle);
  } catch {
    return null;
  }
}
