import { expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import type { ListedObject } from '../../../store/object-store.ts';
import { copyObject } from '../copy-object.ts';
import { type FreshStore, listed, names, text } from './helpers.ts';

/** How objects are named and listed. */
export function describeNames(fresh: FreshStore): void {
  test('lists by prefix in the order of the names, folders and files mixed', async () => {
    const store = await fresh();
    const sorted = ['a', 'a-b', 'a.png', 'a/1', 'a/2/x', 'a/2-x', 'a0', 'b/\uFFFD', 'b/😀'].sort((a, b) =>
      Buffer.compare(Buffer.from(a), Buffer.from(b)),
    );
    const folderAndFile = sorted.filter((name) => name !== 'a');
    for (const name of folderAndFile.toReversed()) await store.create(name, text(name), 'text/plain');
    expect(await names(store, '')).toEqual(folderAndFile);
    expect(await names(store, 'a/')).toEqual(['a/1', 'a/2-x', 'a/2/x']);
    expect(await names(store, 'a/2')).toEqual(['a/2-x', 'a/2/x']);
    expect(await names(store, 'none/')).toEqual([]);
    expect(await names(store, '../')).toEqual([]);
    expect(await listed(store, 'a0')).toMatchObject([{ name: 'a0', bytes: 2, writtenAt: expect.any(Number) }]);
  });

  test('lists when an object was written', async () => {
    const store = await fresh();
    // A file system and a bucket may round, and have a clock of their own.
    const around = 120_000;
    await store.create('captions/a', text('a'), 'text/plain');
    const [{ writtenAt }] = (await listed(store, 'captions/')) as [ListedObject];
    expect(Math.abs(writtenAt - Date.now())).toBeLessThan(around);
  });

  test('keeps names in any script as they are', async () => {
    const store = await fresh();
    const name = 'batches/b/_catalog/Gemälde 红灯笼 🏮 %2e+#?&.csv';
    const { stat } = await store.create(name, text('x'), 'text/csv');
    await copyObject(store, name, 'batches/c/複製.csv');
    expect(await store.stat(name)).toEqual(stat);
    expect(await names(store, 'batches/')).toEqual([name, 'batches/c/複製.csv']);
  });

  test.each([
    ['that goes up', '../out.png'],
    ['that goes up later', 'a/../../out.png'],
    ['that is absolute', '/etc/passwd'],
    ['with an empty part', 'a//b'],
    ['that ends in a slash', 'a/'],
    ['that is empty', ''],
    ['that is a dot', '.'],
    ['with a dot as a part', 'a/./b'],
    ['with backslashes', 'a\\..\\b'],
    ['with a zero byte', 'a\0b'],
    ['with a newline', 'a\nb'],
    ['in the folder of temporary files', '.tmp/x'],
    ['with half a surrogate pair', 'a\ud800'],
    ['with a part of 256 bytes', `a/${'x'.repeat(256)}`],
    ['of more than 1,024 bytes', `${'x/'.repeat(600)}x`],
  ])('refuses a name %s', async (_, name) => {
    const store = await fresh();
    await store.create('good', text('x'), 'text/plain');
    const attempts = [
      () => store.create(name, text('x'), 'text/plain'),
      () => store.replace(name, text('x'), 'text/plain'),
      () => copyObject(store, 'good', name),
      () => copyObject(store, name, 'other'),
      () => store.read(name),
      () => store.stat(name),
    ];
    for (const attempt of attempts) await expect(attempt()).rejects.toThrow(UserError);
    expect(await names(store, '')).toEqual(['good']);
  });
}
