/** Faults that a kernel makes itself, of which the matrix's others are imitations. */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { mkdir, open, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { until } from './waits.ts';

const KILLED_WITHIN_MS = 60_000;
const DISK_BYTES = 4 * 2 ** 20;

/** The group of this process, where cgroups of version 1 count memory; `null` where they do not. */
function memoryGroup(): string | null {
  if (!existsSync('/proc/self/cgroup')) return null;
  const [, group] = /^\d+:memory:(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8')) ?? [];
  return group === undefined ? null : path.join('/sys/fs/cgroup/memory', group);
}

/** What keeps processes here from running out of memory; `null` where nothing does. */
export function noMemoryLimits(): string | null {
  const group = memoryGroup();
  try {
    if (group !== null) accessSync(group, constants.W_OK);
    return group === null ? 'it takes Linux with memory cgroups of version 1' : null;
  } catch {
    return `it takes the right to write in ${group}, as root has it`;
  }
}

/** What keeps small disks from being mounted here; `null` where nothing does. */
export const noMounts = (): string | null =>
  process.platform === 'linux' && process.getuid?.() === 0 ? null : 'it takes Linux and root';

/** Leaves a process no page beyond those that it has, and returns when the kernel has killed it for want of one. */
export async function runOutOfMemory(pid: number): Promise<void> {
  const group = path.join(memoryGroup()!, `pixart-faults-${pid}`);
  await mkdir(group);
  try {
    await writeFile(path.join(group, 'memory.limit_in_bytes'), '4096');
    await writeFile(path.join(group, 'cgroup.procs'), String(pid));
    const killed = async () => /^oom_kill [1-9]/m.test(await readFile(path.join(group, 'memory.oom_control'), 'utf8'));
    await until(killed, KILLED_WITHIN_MS, `the kernel kills ${pid}`);
  } finally {
    await until(
      () =>
        rmdir(group).then(
          () => true,
          () => false,
        ),
      KILLED_WITHIN_MS,
      `${group} is empty`,
    );
  }
}

/** A disk of a few MB in memory, which can be filled to its last byte. */
export class SmallDisk {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async mount(folder: string): Promise<SmallDisk> {
    await mkdir(folder, { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'pixart-faults', folder]);
    const disk = new SmallDisk(folder);
    // Before the folder is removed that it lies in.
    process.prependOnceListener('exit', disk.unmount);
    return disk;
  }

  async fill(): Promise<void> {
    const file = await open(this.#ballast, 'w');
    try {
      for (;;) await file.write(Buffer.alloc(4_096));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      await file.close();
    }
  }

  empty(): Promise<void> {
    return rm(this.#ballast, { force: true });
  }

  readonly unmount = (): void => {
    process.removeListener('exit', this.unmount);
    // At once, also where a worker has a file of it open.
    execFileSync('umount', ['--lazy', this.#folder]);
  };

  get #ballast(): string {
    return path.join(this.#folder, 'ballast');
  }
}
