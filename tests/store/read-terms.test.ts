import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { storeUrl } from '../../store/index.ts';
import { termsReader } from '../../store/read-url.ts';

let folder: string;
let read: ReturnType<typeof termsReader>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-terms-'));
  const terms = join(folder, 'terms');
  await mkdir(join(terms, 'sky'), { recursive: true });
  await writeFile(join(folder, 'secret.txt'), 'the secret');
  await writeFile(join(terms, 'sky', 'times.txt'), 'dawn');
  await symlink(join(folder, 'secret.txt'), join(terms, 'link.txt'));
  await symlink(folder, join(terms, 'out'));
  read = termsReader(storeUrl(terms));
});

afterAll(() => rm(folder, { recursive: true }));

test('a file of terms is read from the folder and the folders in it', async () => {
  expect(Buffer.from((await read('sky/times'))!).toString()).toBe('dawn');
});

test('a missing file, or a file in a missing folder, reads as null', async () => {
  expect(await read('nothing')).toBeNull();
  expect(await termsReader(storeUrl(join(folder, 'nowhere')))('x')).toBeNull();
});

test.each(['../secret', 'sky/../../secret', '/etc/hostname', 'link', 'out/secret'])(
  'nothing outside the folder is read: %s',
  async (name) => {
    const bytes = await read(name).catch((error: Error) => error);
    expect(bytes === null || (bytes instanceof Error && bytes.name === 'UserError')).toBe(true);
  },
);
