import { expect, test } from 'vitest';
import { ObjectChanged, ObjectNotFound } from '../../../store/object-store.ts';
import { copyObject } from '../copy-object.ts';
import { type FreshStore, names, text } from './helpers.ts';

/** A found object stays that object, whatever takes its name later. */
export function describeFoundObjects(fresh: FreshStore): void {
  test('finds an object with its metadata, and nothing if there is no object', async () => {
    const store = await fresh();
    const { stat } = await store.create('objects/a.png', text('a'), 'image/png', { key: 'red 红', 'other-key': '2' });
    await store.create('objects/b.png', text('b'), 'image/png');
    const a = (await store.find('objects/a.png'))!;
    expect(a).toEqual(stat);
    for (const object of [a, stat]) expect(await object.metadata()).toMatchObject({ key: 'red 红', 'other-key': '2' });
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

  test('replaces an object without changing the copies that were made of it', async () => {
    const store = await fresh();
    await store.create('objects/a.png', text('old'), 'image/png');
    await copyObject(store, 'objects/a.png', 'batches/b/a.png');
    await store.replace('objects/a.png', text('new'), 'image/png');
    expect(Buffer.from(await store.read('batches/b/a.png')).toString()).toBe('old');
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
}
