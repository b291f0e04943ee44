import type { Logger } from 'pino';
import { binsOf } from '../domain/bins.ts';
import type { Size } from '../domain/size.ts';
import type { Thrift } from '../domain/thrift.ts';
import { UserError } from '../domain/user-error.ts';
import {
  type Bundle,
  encoderMemory,
  encoderWeightsOrNull,
  memoryTogether,
  networksOrNull,
  painterMemoryOfAll,
} from '../models/pixart/index.ts';
import { type FreeMemory, freeMemory } from '../models/renderer/index.ts';

/** The processes of a render worker: those that paint, and the one that encodes texts. */
type WorkerProcesses = { children: number; microBatch?: number | undefined; hasEncoder: boolean };

/** The end of the ladder. */
const THRIFTIEST: Thrift = { tileLatents: 32, halves: true };

/**
 * Checks before any work is accepted that this machine has enough memory for a bundle at the requested sizes. If it is enough only
 * with smaller tiles, that is logged; if not even then, the worker is refused. Unknown needs are not checked.
 *
 * @throws UserError
 */
export async function checkMemory(
  bundle: Bundle,
  sizes: readonly Size[],
  processes: WorkerProcesses,
  log: Logger,
): Promise<void> {
  const free = await freeMemory();
  const usual = needed(bundle, sizes, processes);
  if (free === null || usual === null || usual <= free.bytes) return;
  const { name } = bundle.description;
  if (needed(bundle, sizes, processes, THRIFTIEST)! > free.bytes) throw tooLittle(bundle, sizes, processes, free);
  log.warn(
    { bundle: name, children: processes.children, neededBytes: usual, freeBytes: free.bytes },
    'memory is short: images that run out of it are rendered in smaller tiles, one half of guidance at a time',
  );
}

/** The same for a worker that only encodes texts. @throws UserError */
export async function checkEncoderMemory(bundle: Bundle): Promise<void> {
  const free = await freeMemory();
  const encoderWeights = encoderWeightsOrNull(bundle);
  if (free === null || encoderWeights === null) return;
  const { total } = encoderMemory({ encoderWeights });
  if (total <= free.bytes) return;
  throw new UserError(
    `encode worker: expected ${mebibytes(total)} of memory for the text encoder of bundle ${bundle.description.name}; found ${found(free)}. ` +
      'Free some memory, or use a larger machine.',
  );
}

/** `null` where it is not known. */
function needed(
  bundle: Bundle,
  sizes: readonly Size[],
  { children, microBatch, hasEncoder }: WorkerProcesses,
  thrift?: Thrift,
): number | null {
  const networks = networksOrNull(bundle);
  if (networks === null) return null;
  const shapes = sizes.flatMap((size) => binsOf(size).map((bin) => ({ bin, thrift, microBatch })));
  const painter = painterMemoryOfAll(networks, shapes);
  if (painter === null) return null;
  const painters = Array.from({ length: children }, () => painter);
  return memoryTogether([...painters, ...(hasEncoder ? [encoderMemory(networks)] : [])]);
}

function tooLittle(bundle: Bundle, sizes: readonly Size[], processes: WorkerProcesses, free: FreeMemory): UserError {
  const least = (size: Size): string => mebibytes(needed(bundle, [size], processes, THRIFTIEST)!);
  const each = sizes.map((size) => `${size} px ${least(size)}`).join(', ');
  const { children, microBatch = 1, hasEncoder } = processes;
  const what = `${children} renderer process${children === 1 ? '' : 'es'}${hasEncoder ? ' and the text encoder' : ''}`;
  return new UserError(
    `render worker: expected memory for ${what} of bundle ${bundle.description.name}, at least ${each}; found ${found(free)}. ` +
      `Serve smaller sizes (--size), ${children > 1 ? 'start fewer processes (--children), ' : ''}` +
      `${microBatch > 1 ? 'let fewer images share a call (--micro-batch), ' : ''}` +
      `${hasEncoder ? 'leave encoding to other workers (--without-text-encoder), ' : ''}free some memory, or use a larger machine ` +
      '("npx pixart-batch bundle info" shows what each size needs).',
  );
}

const found = ({ bytes, of }: FreeMemory): string =>
  `${mebibytes(bytes)} ${of === 'container' ? "left of this container's limit" : 'free on this machine'}`;

const mebibytes = (bytes: number): string => `${Math.ceil(bytes / 2 ** 20).toLocaleString('en')} MiB`;
