import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { memoryGroups } from './memory-groups.ts';

/** How much memory this process and its children may still take, and what limits it. */
export type FreeMemory = { bytes: number; of: 'machine' | 'container' };

/** `null` if the system does not report it, as outside Linux. */
export async function freeMemory(root = '/'): Promise<FreeMemory | null> {
  const machine = await machineBytes(root);
  const container = await containerBytes(root);
  if (container !== null && (machine === null || container < machine)) return { bytes: container, of: 'container' };
  return machine === null ? null : { bytes: machine, of: 'machine' };
}

async function machineBytes(root: string): Promise<number | null> {
  const found = /^MemAvailable:\s+(\d+) kB$/m.exec(await text(path.join(root, 'proc/meminfo')));
  return found === null ? null : 1024 * Number(found[1]);
}

/** The least that is left in this process's group and those around it; `null` if none has a limit. */
async function containerBytes(root: string): Promise<number | null> {
  const { v1, v2 } = memoryGroups(await text(path.join(root, 'proc/self/cgroup')));
  const mount = path.join(root, 'sys/fs/cgroup');
  const inV2 = v2 === undefined ? null : await leastLeft(mount, v2, V2);
  if (inV2 !== null || v1 === undefined) return inV2;
  return leastLeft(path.join(mount, 'memory'), v1, V1);
}

/** The files of a control group, and a line of its memory.stat. */
type Names = { limit: string; usage: string; reclaimable: string };

const V1: Names = {
  limit: 'memory.limit_in_bytes',
  usage: 'memory.usage_in_bytes',
  reclaimable: 'total_inactive_file',
};
const V2: Names = { limit: 'memory.max', usage: 'memory.current', reclaimable: 'inactive_file' };

async function leastLeft(mount: string, group: string, names: Names): Promise<number | null> {
  const left: number[] = [];
  // Within a container the group's own path may not be mounted: its root is then the group.
  for (let at = path.join('/', group); ; at = path.dirname(at)) {
    const bytes = await leftIn(path.join(mount, at), names);
    if (bytes !== null) left.push(bytes);
    if (at === '/') break;
  }
  return left.length === 0 ? null : Math.min(...left);
}

/** More than any machine has: version 1 reports such a number if there is no limit. */
const NO_LIMIT = 2 ** 60;

async function leftIn(folder: string, { limit, usage, reclaimable }: Names): Promise<number | null> {
  const [most, used] = [await wholeNumber(path.join(folder, limit)), await wholeNumber(path.join(folder, usage))];
  if (most === null || used === null || most >= NO_LIMIT) return null;
  const cached = new RegExp(`^${reclaimable} (\\d+)$`, 'm').exec(await text(path.join(folder, 'memory.stat')));
  return Math.max(0, most - used + Number(cached?.[1] ?? 0));
}

async function wholeNumber(file: string): Promise<number | null> {
  const found = (await text(file)).trim();
  return /^\d+$/.test(found) ? Number(found) : null;
}

const text = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '');
