import { expect, onTestFinished, test, vi } from 'vitest';
import { type ListedObject, StoreUnavailable, USE_NOTED_MS } from '../../../store/object-store.ts';
import { copyObject } from '../copy-object.ts';
import { type FreshStore, listed, names, SLOW_MS, text } from './helpers.ts';

/** What is removed is what the caller saw, and never what somebody uses. */
export function describeRemoving(fresh: FreshStore): void {
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
}
