import type { Logger } from 'pino';
import { binsOf } from '../domain/bins.ts';
import type { Size } from '../domain/size.ts';
import type { Thrift } from '../domain/thrift.ts';
import { UserError } from '../domain/user-error.ts';
import { type Bundle, encoderMemory, networksOf, painterMemoryOfAll } from '../models/pixart/index.ts';
import { type FreeMemory, freeMemory } from './free-memory.ts';

/** The end of the ladder. */
const THRIFTIEST: Thrift = { tileLatents: 32, halves: true };

/**
 * Tells before any work is taken that this machine has too little memory for a bundle at the sizes asked for. Where it has enough
 * with smaller tiles only, that is logged; where not even so, the worker is refused. What is not known is not checked.
 *
 * @throws UserError
 */
export async function checkMemory(bundle: Bundle, sizes: readonly Size[], log: Logger): Promise<void> {
  const free = await freeMemory();
  if (free === null) return;
  const usual = needed(bundle, sizes);
  if (usual === null || usual <= free.bytes) return;
  const { name } = bundle.description;
  if (needed(bundle, sizes, THRIFTIEST)! > free.bytes) throw tooLittle(bundle, sizes, free);
  log.warn(
    { bundle: name, neededBytes: usual, freeBytes: free.bytes },
    'memory is short: images that find none are made in smaller tiles, one half of guidance at a time',
  );
}

/** Of the renderer and its text encoder; `null` where it is not known. */
function needed(bundle: Bundle, sizes: readonly Size[], thrift?: Thrift): number | null {
  const networks = networksOf(bundle);
  const shapes = sizes.flatMap((size) => binsOf(size).map((bin) => ({ bin, thrift })));
  const painter = painterMemoryOfAll(networks, shapes);
  return painter && painter.total + encoderMemory(networks).total - painter.file;
}

function tooLittle(bundle: Bundle, sizes: readonly Size[], free: FreeMemory): UserError {
  const each = sizes.map((size) => `${size} px ${mebibytes(needed(bundle, [size], THRIFTIEST)!)}`).join(', ');
  const where = free.of === 'container' ? "left of this container's limit" : 'free on this machine';
  return new UserError(
    `render worker: expected memory for bundle ${bundle.description.name}, at the least ${each}; found ${mebibytes(free.bytes)} ${where}. ` +
      'Serve smaller sizes (--size), end what else takes memory, or use a larger machine ("npx pixart-batch bundle info" tells what each size takes).',
  );
}

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;
