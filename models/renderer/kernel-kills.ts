import { readFileSync } from 'node:fs';
import path from 'node:path';
import { memoryGroups } from './memory-groups.ts';

/**
 * How many processes of this process's control group the kernel has killed for lack of memory; of the whole machine if no group
 * reports it, and 0 if nothing does. Other processes on the same machine do not count if they can be distinguished.
 */
export function kernelKills(root = '/'): number {
  const { v1, v2 } = memoryGroups(text(path.join(root, 'proc/self/cgroup')));
  const mount = path.join(root, 'sys/fs/cgroup');
  const files = [
    // Within a container the group's own path may not be mounted: its root is then the group.
    ...(v2 === undefined ? [] : [path.join(mount, v2, 'memory.events'), path.join(mount, 'memory.events')]),
    ...(v1 === undefined ? [] : [path.join(mount, 'memory', v1, 'memory.oom_control')]),
    path.join(root, 'proc/vmstat'),
  ];
  for (const file of files) {
    const found = /^oom_kill (\d+)$/m.exec(text(file));
    if (found !== null) return Number(found[1]);
  }
  return 0;
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
