import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A control group in which programs are started that must not need more memory. */
export type MemoryLimit = {
  /** The command that starts another one in the group. */
  inside(command: string[]): string[];
  /** How many processes the kernel ended for want of memory. */
  killed(): number;
  remove(): void;
};

const ROOT = '/sys/fs/cgroup';

/** A group below our own, of version 2 or 1; or why there can be none. */
export function memoryLimit(bytes: number): MemoryLimit | string {
  const own = ownGroup();
  if (own === undefined) return 'no control groups of memory found';
  const folder = path.join(own.folder, `pixart-bench-${process.pid}`);
  try {
    mkdirSync(folder);
    writeFileSync(path.join(folder, own.isVersion2 ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes));
    // Pages that went to swap would hide what is needed.
    const swap = own.isVersion2 ? ['memory.swap.max', '0'] : ['memory.memsw.limit_in_bytes', String(bytes)];
    if (existsSync(path.join(folder, swap[0]!))) writeFileSync(path.join(folder, swap[0]!), swap[1]!);
  } catch (error) {
    if (existsSync(folder)) rmdirSync(folder);
    return `no control group can be made below ${own.folder}: ${(error as Error).message}`;
  }
  const events = path.join(folder, own.isVersion2 ? 'memory.events' : 'memory.oom_control');
  return {
    inside: (command) => ['sh', '-c', 'echo $$ > "$0" && exec "$@"', path.join(folder, 'cgroup.procs'), ...command],
    killed: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(events, 'utf8'))?.[1] ?? 0),
    remove() {
      try {
        rmdirSync(folder);
      } catch (error) {
        // A process in it has not ended: what was measured is not lost for that.
        console.error(`${folder} is left: ${(error as Error).message}`);
      }
    },
  };
}

/** The group of memory that this process is in: cgroups(7). */
function ownGroup(): { folder: string; isVersion2: boolean } | undefined {
  if (!existsSync('/proc/self/cgroup')) return undefined;
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const groups = lines.map((line) => line.split(':') as [string, string, string]);
  const first = groups.find(([, controllers]) => controllers.split(',').includes('memory'));
  if (first !== undefined) return { folder: path.join(ROOT, 'memory', first[2]), isVersion2: false };
  const second = groups.find(([, controllers]) => controllers === '');
  return second && { folder: path.join(ROOT, second[2]), isVersion2: true };
}
