import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { crc32c } from '../../store/crc32c.ts';
import {
  type ListedObject,
  ObjectChanged,
  ObjectNotFound,
  type ObjectStore,
  StoreUnavailable,
  USE_NOTED_MS,
} from '../../store/object-store.ts';
import { copyObject } from './copy-object.ts';
import { KILLED_BYTES, patterned } from './patterned.ts';

const text = (value: string): Uint8Array => Buffer.from(value);
async function listed(store: ObjectStore, prefix: string): Promise<ListedObject[]> {
  const objects: ListedObject[] = [];
  for await (const object of store.list(prefix)) objects.push(object);
  return objects;
}

const names = async (store: ObjectStore, prefix: string): Promise<string[]> =>
  (await listed(store, prefix)).map((object) => object.name);

/** Generous, for a busy machine. */
export const SLOW_MS = 240_000;

/** What every kind of store must do. `fresh` returns an empty store at each call. */
export function describeObjectStore(kind: string, fresh: () => Promise<ObjectStore>): void {
  describe(`${kind}, as an object store`, () => {
    test('returns the bytes that were created, with their length and checksum', async () => {
      const store = await fresh();
      const { created, stat } = await store.create('objects/a.png', text('123456789'), 'image/png');
      expect(created).toBe(true);
      expect(stat).toEqual({ name: 'objects/a.png', bytes: 9, crc32c: '4waSgw==' });
      expect(await store.stat('objects/a.png')).toEqual(stat);
      expect(Buffer.from(await store.read('objects/a.png')).toString()).toBe('123456789');
    });

    test('leaves the first object in place when a second one is created, and reports the first', async () => {
      const store = await fresh();
      const first = await store.create('objects/a.png', text('first'), 'image/png');
      const second = await store.create('objects/a.png', text('second, longer'), 'image/png');
      expect(second).toEqual({ created: false, stat: first.stat });
      expect(Buffer.from(await store.read('objects/a.png')).toString()).toBe('first');
    });

    test('lets exactly one of twenty concurrent writers create an object, and returns it to all of them', async () => {
      const store = await fresh();
      const writers = Array.from({ length: 20 }, (_, writer) => text(`writer ${writer} `.repeat(5000)));
      const results = await Promise.all(writers.map((data) => store.create('objects/race.png', data, 'image/png')));
      const winner = results.findIndex((result) => result.created);
      expect(results.filter((result) => result.created)).toHaveLength(1);
      expect(await store.read('objects/race.png')).toEqual(Buffer.from(writers[winner]!));
      for (const { stat } of results) expect(stat.crc32c).toBe(crc32c(writers[winner]!));
    });

    test('replaces an object, and creates it if there is none', async () => {
      const store = await fresh();
      await store.replace('batches/b/manifest.json', text('{"a":1}'), 'application/json');
      const stat = await store.replace('batches/b/manifest.json', text('{}'), 'application/json');
      expect(stat).toEqual({ name: 'batches/b/manifest.json', bytes: 2, crc32c: crc32c(text('{}')) });
      expect(Buffer.from(await store.read('batches/b/manifest.json')).toString()).toBe('{}');
    });

    test('replaces an object without changing the copies that were made of it', async () => {
      const store = await fresh();
      await store.create('objects/a.png', text('old'), 'image/png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      await store.replace('objects/a.png', text('new'), 'image/png');
      expect(Buffer.from(await store.read('batches/b/a.png')).toString()).toBe('old');
    });

    test('removes an object but not its copies; a missing object is no error', async () => {
      const store = await fresh();
      await store.create('objects/a.png', text('a'), 'image/png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      await store.remove('objects/a.png');
      expect(await store.stat('objects/a.png')).toBeNull();
      expect(Buffer.from(await store.read('batches/b/a.png')).toString()).toBe('a');
      await store.remove('objects/a.png');
      await store.remove('nowhere/at/all.png');
      expect((await store.create('objects/a.png', text('again'), 'image/png')).created).toBe(true);
    });

    test('removes the listed version of an object, but neither a later one nor its copies', async () => {
      const store = await fresh();
      for (const name of ['a', 'b', 'c']) await store.create(`objects/${name}.png`, text(name), 'image/png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      const [a, b, c] = (await listed(store, 'objects/')) as [ListedObject, ListedObject, ListedObject];
      expect(a.version).toBe((await store.find(a.name))!.version);
      await store.replace(b.name, text('later'), 'image/png');
      await store.remove(c.name);
      expect(await store.removeVersion(a)).toBe(true);
      expect(await store.removeVersion(a)).toBe(true);
      expect(await store.removeVersion(b)).toBe(false);
      expect(await store.removeVersion(c)).toBe(true);
      expect(await names(store, '')).toEqual(['batches/b/a.png', 'objects/b.png']);
      expect(Buffer.from(await store.read(b.name)).toString()).toBe('later');
      expect(Buffer.from(await store.read('batches/b/a.png')).toString()).toBe('a');
      expect((await store.create(a.name, text('anew'), 'image/png')).created).toBe(true);
    });

    test('does not remove an object that was copied since it was listed, a day or more after it was written', async () => {
      const store = await fresh();
      for (const name of ['a', 'b']) await store.create(`objects/${name}.png`, text(name), 'image/png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      onTestFinished(() => void vi.useRealTimers());
      vi.useFakeTimers({ now: Date.now() + USE_NOTED_MS, toFake: ['Date'] });
      const [a, b] = (await listed(store, 'objects/')) as [ListedObject, ListedObject];
      await copyObject(store, 'objects/a.png', 'batches/c/a.png');
      expect(await store.removeVersion(a, a.uses)).toBe(false);
      expect(await store.removeVersion(b, b.uses)).toBe(true);
      const [again] = (await listed(store, 'objects/')) as [ListedObject];
      expect(again.version).toBe(a.version);
      expect(await store.removeVersion(again, again.uses)).toBe(true);
      expect(await names(store, '')).toEqual(['batches/b/a.png', 'batches/c/a.png']);
    });

    test('does not remove an object whose use was noted since it was listed, and refuses to note one of a removed object', async () => {
      const store = await fresh();
      await store.create('objects/a.png', text('a'), 'image/png');
      onTestFinished(() => void vi.useRealTimers());
      vi.useFakeTimers({ now: Date.now() + USE_NOTED_MS, toFake: ['Date'] });
      const [listing] = (await listed(store, 'objects/')) as [ListedObject];
      const found = (await store.find('objects/a.png'))!;
      await found.noteUse();
      expect(await store.removeVersion(listing, listing.uses)).toBe(false);
      expect(await names(store, '')).toEqual(['objects/a.png']);
      const [again] = (await listed(store, 'objects/')) as [ListedObject];
      expect(again.version).toBe(listing.version);
      expect(await store.removeVersion(again, again.uses)).toBe(true);
      await expect(found.noteUse()).rejects.toThrow(StoreUnavailable);
    });

    test('loses no object that is copied and removed at the same moment', { timeout: SLOW_MS }, async () => {
      const store = await fresh();
      for (let n = 0; n < 40; n++) await store.create(`objects/${n}.png`, text(`${n}`), 'image/png');
      const objects = await listed(store, 'objects/');
      const found = await Promise.all(objects.map(({ name }) => store.find(name)));
      onTestFinished(() => void vi.useRealTimers());
      vi.useFakeTimers({ now: Date.now() + USE_NOTED_MS, toFake: ['Date'] });
      const outcomes = await Promise.all(
        objects.map(async (object, n) => {
          const copying = found[n]!.copy(`batches/b/${n}.png`).then(
            () => true,
            (error: unknown) => error,
          );
          const [copied, removed] = await Promise.all([copying, store.removeVersion(object, object.uses)]);
          return { copied, removed, name: object.name };
        }),
      );
      for (const { copied, removed, name } of outcomes) {
        const isThere = (await store.stat(name)) !== null;
        expect(isThere).toBe(!removed);
        if (removed) expect(copied).toBeInstanceOf(StoreUnavailable);
        else expect(copied).toBe(true);
      }
    });

    test('copies an object, even onto an existing one and onto itself', async () => {
      const store = await fresh();
      const { stat } = await store.create('objects/a.png', text('picture'), 'image/png');
      await store.replace('batches/b/a.png', text('something else'), 'image/png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      await copyObject(store, 'objects/a.png', 'batches/b/a.png');
      await copyObject(store, 'objects/a.png', 'objects/a.png');
      expect(await store.stat('batches/b/a.png')).toEqual({ ...stat, name: 'batches/b/a.png' });
      expect(await names(store, '')).toEqual(['batches/b/a.png', 'objects/a.png']);
    });

    test('finds an object with its metadata, and nothing if there is no object', async () => {
      const store = await fresh();
      const { stat } = await store.create('objects/a.png', text('a'), 'image/png', { key: 'red 红', 'other-key': '2' });
      await store.create('objects/b.png', text('b'), 'image/png');
      const a = (await store.find('objects/a.png'))!;
      expect(a).toEqual(stat);
      for (const object of [a, stat])
        expect(await object.metadata()).toMatchObject({ key: 'red 红', 'other-key': '2' });
      const b = (await store.find('objects/b.png'))!;
      expect((await b.metadata()).key).toBeUndefined();
      await b.describe({ key: 'blue' });
      expect(await (await store.find('objects/b.png'))!.metadata()).toMatchObject({ key: 'blue' });
      expect(a.version).toMatch(/^[\w-]+$/);
      expect(await store.find('objects/none.png')).toBeNull();
      expect(await store.find('none/at/all.png')).toBeNull();
    });

    test('copies the object that was found, never a later one', async () => {
      const store = await fresh();
      await store.create('objects/a.png', text('found'), 'image/png');
      const found = (await store.find('objects/a.png'))!;
      await store.replace('objects/a.png', text('later'), 'image/png');
      await expect(found.copy('batches/b/a.png')).rejects.toThrow(ObjectChanged);
      expect(await store.stat('batches/b/a.png')).toBeNull();
    });

    test('lets exactly one of ten put an object in the place of another, and keeps the old one', async () => {
      const store = await fresh();
      await store.create('objects/a.png', text('damaged'), 'image/png', { key: 'old' });
      const seen = await Promise.all(Array.from({ length: 10 }, () => store.find('objects/a.png')));
      const contents = seen.map((_, n) => ({
        data: text(`new ${n}`),
        contentType: 'image/png',
        metadata: { key: `${n}` },
      }));
      const results = await Promise.all(
        seen.map((found, n) => found!.supersede(`damaged/a.${found!.version}.png`, contents[n]!)),
      );
      const winner = results.findIndex((result) => result !== null);
      expect(results.filter((result) => result !== null)).toHaveLength(1);
      expect(Buffer.from(await store.read('objects/a.png')).toString()).toBe(`new ${winner}`);
      expect(await results[winner]!.metadata()).toMatchObject({ key: String(winner) });
      expect(await names(store, 'damaged/')).toEqual([`damaged/a.${seen[0]!.version}.png`]);
      expect(Buffer.from(await store.read(`damaged/a.${seen[0]!.version}.png`)).toString()).toBe('damaged');
      await results[winner]!.copy('batches/b/a.png');
      expect(Buffer.from(await store.read('batches/b/a.png')).toString()).toBe(`new ${winner}`);
    });

    test('reports a missing object: null from stat, an error from read and copy', async () => {
      const store = await fresh();
      await store.create('objects/file', text('x'), 'image/png');
      for (const name of ['objects/none.png', 'nothing/at/all.png', 'objects/file/below']) {
        expect(await store.stat(name)).toBeNull();
        await expect(store.read(name)).rejects.toThrow(ObjectNotFound);
        await expect(copyObject(store, name, 'batches/b/a.png')).rejects.toThrow(ObjectNotFound);
      }
      expect(await names(store, 'batches/')).toEqual([]);
    });

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

    test('reads only the requested part of a long object, and a short one whole', async () => {
      const store = await fresh();
      await store.create('captions/a', text('123456789'), 'text/plain');
      expect(Buffer.from(await store.read('captions/a', 9)).toString()).toBe('123456789');
      expect(Buffer.from(await store.read('captions/a', 100)).toString()).toBe('123456789');
      expect(Buffer.from(await store.read('captions/a', 4)).toString()).toBe('12345');
      await expect(store.read('captions/b', 4)).rejects.toThrow(ObjectNotFound);
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

    test('accepts an empty object', async () => {
      const store = await fresh();
      await store.create('objects/empty', new Uint8Array(), 'text/plain');
      expect(await store.stat('objects/empty')).toEqual({ name: 'objects/empty', bytes: 0, crc32c: 'AAAAAA==' });
      expect(await store.read('objects/empty')).toHaveLength(0);
    });

    test('accepts an object of 30 MB', { timeout: SLOW_MS }, async () => {
      const store = await fresh();
      const data = patterned(30 * 1024 * 1024);
      const { stat } = await store.create('objects/4k.png', data, 'image/png');
      await copyObject(store, 'objects/4k.png', 'batches/b/4k.png');
      expect(await store.stat('batches/b/4k.png')).toEqual({ ...stat, name: 'batches/b/4k.png' });
      expect(crc32c(await store.read('batches/b/4k.png'))).toBe(crc32c(data));
    });

    test('shows whole objects or none when writers are killed in the middle', { timeout: SLOW_MS }, async () => {
      const store = await fresh();
      for (const delayMs of [0, 10, 60]) await killWriterAfter(store.url, delayMs);
      const whole = { bytes: KILLED_BYTES, crc32c: crc32c(patterned(KILLED_BYTES)) };
      const left = await names(store, '');
      for (const name of left) expect(await store.stat(name)).toEqual({ name, ...whole });
      expect((await store.create('objects/killed-0', patterned(KILLED_BYTES), 'image/png')).stat).toMatchObject(whole);
    });
  });
}

async function killWriterAfter(url: string, delayMs: number): Promise<void> {
  const writer = fork(fileURLToPath(new URL('./killed-writer.ts', import.meta.url)), [url], {
    execArgv: ['--import', 'tsx'],
  });
  await once(writer, 'message');
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  writer.kill('SIGKILL');
  await once(writer, 'exit');
}
