import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { memoryLimit } from './memory-limit.ts';
import { watchTreeMemory } from './tree-memory.ts';

/** What a command took, with all processes below it. */
export type Watched = {
  seconds: number;
  /** GiB: the largest sum of PSS, what of that was mapped from files, and the largest sum without those. */
  memory: { total: number; file: number; withoutFiles: number };
  /** Under which limit it ran, or why under none. */
  limit: string;
};

const GIB = 2 ** 30;

/**
 * Runs a command and watches its memory; its output goes to standard error. With `limitGib`, under a control group's limit where one can be made.
 *
 * @throws Error where the command fails, or the kernel ends one of its processes for want of memory
 */
export async function watched(command: string[], limitGib?: number): Promise<Watched> {
  const limit = limitGib === undefined ? undefined : memoryLimit(limitGib * GIB);
  const group = typeof limit === 'object' ? limit : undefined;
  const [program, ...args] = group?.inside(command) ?? command;
  const started = performance.now();
  const child = spawn(program!, args, { stdio: ['ignore', 2, 2] });
  const ended = once(child, 'exit');
  try {
    const memory = watchTreeMemory(child.pid!);
    const [code] = await ended;
    const { total, file, withoutFiles } = memory.stop();
    const killed = group?.killed() ?? 0;
    if (killed > 0) throw new Error(`${killed} processes ended for want of memory under a limit of ${limitGib} GiB`);
    if (code !== 0) throw new Error(`${command.slice(0, 4).join(' ')} … ended with code ${code}`);
    return {
      seconds: (performance.now() - started) / 1_000,
      memory: { total: total / GIB, file: file / GIB, withoutFiles: withoutFiles / GIB },
      limit: typeof limit === 'string' ? `no limit: ${limit}` : group ? `holds under a limit of ${limitGib} GiB` : '',
    };
  } finally {
    group?.remove();
  }
}

/** What a line of the table says beside the largest sum. */
export const memoryNote = ({ memory, limit }: Watched): string =>
  [
    `${memory.file.toFixed(2)} of it mapped from files`,
    `without these at most ${memory.withoutFiles.toFixed(2)}`,
    limit,
  ]
    .filter(Boolean)
    .join('; ');
