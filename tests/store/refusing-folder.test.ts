import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { openStore, storeUrl } from '../../store/open-store.ts';
import { copyObject } from './copy-object.ts';
import { useFolder } from './use-folder.ts';

const { fresh, freshRoot } = useFolder();
const data = Buffer.from('picture');
const NOBODY = 65_534;

describe('a folder that refuses', () => {
  test.skipIf(process.platform !== 'linux')('fails promptly on a file system that creates no folders', async () => {
    const store = await openStore(storeUrl('/proc/no-store/of-ours'));
    await expect(store.create('a.png', data, 'image/png')).rejects.toThrow(/ENOENT/);
  });

  test('says that a file is larger than the process may write, leaves nothing, and may be tried again', () => {
    const printed = writeUnder('ulimit -f 100', freshRoot(), 1_000_000);
    expect(printed).toMatchObject({ error: 'StoreUnavailable', listed: [], temporary: [] });
    expect(printed.message).toMatch(/could not write objects\/a.png \(1,000,000 bytes\): the file is larger .*EFBIG/);
  });

  const isRoot = process.getuid?.() === 0 && process.platform === 'linux';
  test.skipIf(!isRoot)('says that the disk is full (needs root, to mount a small file system)', async () => {
    const root = freshRoot();
    await mkdir(root);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', root]);
    try {
      const store = await openStore(storeUrl(root));
      await store.create('objects/small.png', data, 'image/png');
      const attempt = store.create('objects/large.png', new Uint8Array(2_000_000), 'image/png');
      await expect(attempt).rejects.toMatchObject({ name: 'StoreUnavailable' });
      await expect(attempt).rejects.toThrow(/write objects\/large.png \(2,000,000 bytes\): the disk is full.*ENOSPC/);
      expect(await readdir(join(root, 'objects'))).toEqual(['small.png']);
      expect(await readdir(join(root, '.tmp'))).toEqual([]);
      execFileSync('mount', ['-o', 'remount,ro', root]);
      await expect(store.create('objects/b.png', data, 'image/png')).rejects.toThrow(/read-only.*EROFS/);
      expect(Buffer.from(await store.read('objects/small.png'))).toEqual(data);
    } finally {
      execFileSync('umount', [root]);
    }
  });

  test.skipIf(!isRoot)(
    'copies bytes where a hard link is not possible (needs root, to mount a file system)',
    async () => {
      const { root, store } = await fresh();
      await store.create('objects/a.png', data, 'image/png');
      await mkdir(join(root, 'mounted'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(root, 'mounted')]);
      try {
        await writeFile(join(root, 'mounted/b.png'), data);
        await copyObject(store, 'mounted/b.png', 'batches/b/b.png');
        expect(await store.stat('batches/b/b.png')).toEqual({
          ...(await store.stat('objects/a.png')),
          name: 'batches/b/b.png',
        });
        await expect(store.create('mounted/c.png', data, 'image/png')).rejects.toThrow(/another file system.*EXDEV/);
      } finally {
        execFileSync('umount', [join(root, 'mounted')]);
      }
    },
  );

  test('says that permission is denied', async () => {
    const { root, store } = await fresh();
    await chmod(dirname(root), 0o755);
    await mkdir(root, { mode: 0o555 });
    // Root is denied nothing; nobody is.
    if (isRoot) process.seteuid!(NOBODY);
    try {
      await expect(store.create('a', data, 'image/png')).rejects.toThrow(/permission denied.*EACCES/);
    } finally {
      if (isRoot) process.seteuid!(0);
    }
  });
});

type Printed = { error: string; message: string; listed: string[]; temporary: string[] };

/** Creates one object in a child process that a shell has put under a limit. */
function writeUnder(limit: string, root: string, bytes: number): Printed {
  const writer = fileURLToPath(new URL('./limited-writer.ts', import.meta.url));
  const command = `${limit}; exec "${process.execPath}" --import tsx "${writer}" "${root}" ${bytes}`;
  return JSON.parse(execFileSync('bash', ['-c', command], { encoding: 'utf8' })) as Printed;
}
