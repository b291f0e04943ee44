import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { freeMemory } from '../../../models/renderer/free-memory.ts';

/** A tree with files such as Linux has them. */
async function tree(files: Record<string, string>): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'pixart-system-'));
  onTestFinished(() => rm(root, { recursive: true }));
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.join(root, path.dirname(name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  return root;
}

const MEMINFO = 'MemTotal:  16000 kB\nMemAvailable:  8000 kB\n';

test('what is left is what the machine has, where no group limits it', async () => {
  const root = await tree({
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '0::/a/b\n',
    'sys/fs/cgroup/a/b/memory.max': 'max\n',
    'sys/fs/cgroup/a/b/memory.current': '5000\n',
  });
  expect(await freeMemory(root)).toEqual({ bytes: 8_000 * 1024, of: 'machine' });
});

test('a limit around the own group counts too, and files that may be dropped count as left', async () => {
  const root = await tree({
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '0::/a/b\n',
    'sys/fs/cgroup/a/b/memory.max': '4000000\n',
    'sys/fs/cgroup/a/b/memory.current': '1000\n',
    'sys/fs/cgroup/a/memory.max': '3000000\n',
    'sys/fs/cgroup/a/memory.current': '2000000\n',
    'sys/fs/cgroup/a/memory.stat': 'anon 1\ninactive_file 500000\n',
  });
  expect(await freeMemory(root)).toEqual({ bytes: 1_500_000, of: 'container' });
});

test('groups of version 1 are read where there are no others', async () => {
  const root = await tree({
    'proc/meminfo': MEMINFO,
    'proc/self/cgroup': '4:cpu,cpuacct:/x\n3:memory:/x\n',
    'sys/fs/cgroup/memory/x/memory.limit_in_bytes': '3000000\n',
    'sys/fs/cgroup/memory/x/memory.usage_in_bytes': '1000000\n',
    'sys/fs/cgroup/memory/memory.limit_in_bytes': '9223372036854771712\n',
    'sys/fs/cgroup/memory/memory.usage_in_bytes': '1\n',
  });
  expect(await freeMemory(root)).toEqual({ bytes: 2_000_000, of: 'container' });
});

test('where the system does not tell, nothing is known', async () => {
  expect(await freeMemory(await tree({ other: '' }))).toBeNull();
});
