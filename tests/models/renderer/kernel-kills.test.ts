import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { kernelKills } from '../../../models/renderer/kernel-kills.ts';

const V2 = { 'proc/self/cgroup': '0::/a/b\n' };
const V1 = { 'proc/self/cgroup': '3:memory:/x\n0::/\n' };
const MACHINE = { 'proc/vmstat': 'oom_kill 9\n' };

test.each<[string, Record<string, string>, number]>([
  ['the own group', { ...V2, ...MACHINE, 'sys/fs/cgroup/a/b/memory.events': 'oom 1\noom_kill 2\n' }, 2],
  ['the group that is mounted', { ...V2, ...MACHINE, 'sys/fs/cgroup/memory.events': 'oom_kill 3\n' }, 3],
  ['a group of version 1', { ...V1, ...MACHINE, 'sys/fs/cgroup/memory/x/memory.oom_control': 'oom_kill 4\n' }, 4],
  ['the machine', { ...V2, ...MACHINE }, 9],
  ['nothing', {}, 0],
])('what the kernel ended is counted of %s', async (_, files, kills) => {
  const root = await mkdtemp(path.join(tmpdir(), 'pixart-kills-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  expect(kernelKills(root)).toBe(kills);
});
