import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** A control group for programs that must not use more than a limit of memory. */
export type MemoryLimit = {
  /** The command line that starts a command in the group. */
  inside(command: string[]): string[];
  /** How many processes the out-of-memory killer has killed. */
  killed(): number;
  remove(): void;
};

const ROOT = '/sys/fs/cgroup';

/** Creates a group below our own, cgroup version 2 or 1; or says why it cannot. */
export function memoryLimit(bytes: number): MemoryLimit | string {
  const own = ownGroup();
  if (own === undefined) return 'no memory control group found';
  const folder = path.join(own.folder, `pixart-bench-${process.pid}`);
  try {
    mkdirSync(folder);
    writeFileSync(path.join(folder, own.isVersion2 ? 'memory.max' : 'memory.limit_in_bytes'), String(bytes));
    // Swapped pages would hide how much memory is needed.
    const swap = own.isVersion2 ? ['memory.swap.max', '0'] : ['memory.memsw.limit_in_bytes', String(bytes)];
    if (existsSync(path.join(folder, swap[0]!))) writeFileSync(path.join(folder, swap[0]!), swap[1]!);
  } catch (error) {
    if (existsSync(folder)) rmdirSync(folder);
    return `cannot create a control group below ${own.folder}: ${(error as Error).message}`;
  }
  const events = path.join(folder, own.isVersion2 ? 'memory.events' : 'memory.oom_control');
  return {
    inside: (command) => ['sh', '-c', 'echo $$ > "$0" && exec "$@"', path.join(folder, 'cgroup.procs'), ...command],
    killed: () => Number(/^oom_kill (\d+)$/m.exec(readFileSync(events, 'utf8'))?.[1] ?? 0),
    remove() {
      try {
        rmdirSync(folder);
      } catch (error) {
        // A process in it is still running; that is no reason to lose the figures.
        console.error(`${folder} is left behind: ${(error as Error).message}`);
      }
    },
  };
}

/** The memory control group of this process: cgroups(7). */
function ownGroup(): { folder: string; isVersion2: boolean } | undefined {
  if (!existsSync('/proc/self/cgroup')) return undefined;
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  const groups = lines.map((line) => line.split(':') as [string, string, string]);
  const first = groups.find(([, controllers]) => controllers.split(',').includes('memory'));
  if (first !== undefined) return { folder: path.join(ROOT, 'memory', first[2]), isVersion2: false };
  const second = groups.find(([, controllers]) => controllers === '');
  return second && { folder: path.join(ROOT, second[2]), isVersion2: true };
}
