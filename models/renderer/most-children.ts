import { freemem } from 'node:os';
import { binsOf } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import { type Bundle, encoderMemory, knownPainterMemory, memoryTogether, networksOrNull } from '../pixart/index.ts';
import { freeMemory } from './free-memory.ts';

/**
 * How many processes there is memory for just now, all of them painting the largest picture of these sizes, beside the one that encodes texts
 * where there is one: at least one, and one of a damaged bundle. A decoder that does not tell what it takes counts by its weights.
 */
export async function mostChildren(
  bundle: Bundle,
  sizes: readonly Size[],
  { hasEncoder }: { hasEncoder: boolean },
): Promise<number> {
  const networks = networksOrNull(bundle);
  if (networks === null) return 1;
  const bins = sizes.flatMap(binsOf);
  const painter = knownPainterMemory(
    networks,
    bins.map((bin) => ({ bin })),
  );
  const free = (await freeMemory())?.bytes ?? freemem();
  const one = memoryTogether([painter, ...(hasEncoder ? [encoderMemory(networks)] : [])]);
  return Math.max(1, 1 + Math.floor((free - one) / (painter.total - painter.file)));
}
