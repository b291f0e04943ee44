import { readFileSync } from 'node:fs';

/** How many processes the kernel has ended for want of memory since it started, in any group; 0 where it does not tell. */
export function kernelKills(): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
