import { freemem } from 'node:os';
import { binsOf } from '../../domain/bins.ts';
import type { Size } from '../../domain/size.ts';
import {
  type Bundle,
  encoderMemory,
  knownPainterMemory,
  memoryTogether,
  type Networks,
  networksOrNull,
  type ProcessMemory,
} from '../pixart/index.ts';
import { freeMemory } from './free-memory.ts';

/**
 * How many processes have room in memory now if each paints the largest image of these sizes, beside the process that
 * encodes texts, if there is one. At least one; one if the bundle is damaged. A decoder whose memory is unknown counts
 * by its weights.
 */
export async function mostChildren(
  bundle: Bundle,
  sizes: readonly Size[],
  { hasEncoder }: { hasEncoder: boolean },
): Promise<number> {
  const networks = networksOrNull(bundle);
  if (networks === null) return 1;
  const painter = painterOf(networks, sizes, 1);
  const one = memoryTogether([painter, ...(hasEncoder ? [encoderMemory(networks)] : [])]);
  return Math.max(1, 1 + Math.floor(((await freeBytes()) - one) / (painter.total - painter.file)));
}

/** How many images each of several processes has memory to paint at once: 8, 4, 2 or 1. */
export async function mostImages(
  bundle: Bundle,
  sizes: readonly Size[],
  { children, hasEncoder }: { children: number; hasEncoder: boolean },
): Promise<number> {
  const networks = networksOrNull(bundle);
  if (networks === null) return 1;
  const free = await freeBytes();
  const has = (images: number): boolean => {
    const painters = Array.from({ length: children }, () => painterOf(networks, sizes, images));
    return memoryTogether([...painters, ...(hasEncoder ? [encoderMemory(networks)] : [])]) <= free;
  };
  return [8, 4, 2].find(has) ?? 1;
}

const freeBytes = async (): Promise<number> => (await freeMemory())?.bytes ?? freemem();

const painterOf = (networks: Networks, sizes: readonly Size[], microBatch: number): ProcessMemory =>
  knownPainterMemory(
    networks,
    sizes.flatMap(binsOf).map((bin) => ({ bin, microBatch })),
  );
