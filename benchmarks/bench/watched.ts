import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { memoryLimit } from './memory-limit.ts';
import { watchTreeMemory } from './tree-memory.ts';

/** The resources that a command used, with all its descendants. */
export type Watched = {
  seconds: number;
  /** GiB: the largest total PSS, the part of it mapped from files, and the largest total without such pages. */
  memory: { total: number; file: number; withoutFiles: number };
  /** The limit under which it ran, or why there was none. */
  limit: string;
};

const GIB = 2 ** 30;

/**
 * Runs a command and samples its memory; its output goes to standard error. With `limitGib`, runs it under a control
 * group's limit if one can be created.
 *
 * @throws Error if the command fails, or the kernel kills one of its processes for lack of memory
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
    if (killed > 0)
      throw new Error(`${killed} processes were killed for lack of memory under a limit of ${limitGib} GiB`);
    if (code !== 0) throw new Error(`${command.slice(0, 4).join(' ')} … exited with code ${code}`);
    return {
      seconds: (performance.now() - started) / 1_000,
      memory: { total: total / GIB, file: file / GIB, withoutFiles: withoutFiles / GIB },
      limit: typeof limit === 'string' ? `no limit: ${limit}` : group ? `fits in a limit of ${limitGib} GiB` : '',
    };
  } finally {
    group?.remove();
  }
}

/** The note beside the largest total. */
export const memoryNote = ({ memory, limit }: Watched): string =>
  [
    `${memory.file.toFixed(2)} of it mapped from files`,
    `at most ${memory.withoutFiles.toFixed(2)} without such pages`,
    limit,
  ]
    .filter(Boolean)
    .join('; ');
