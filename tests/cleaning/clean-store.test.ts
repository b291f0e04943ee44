import { readdir } from 'node:fs/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { cleanStore, type StoreCleaning } from '../../cleaning/clean-store.ts';
import { verifyBatch } from '../../client/index.ts';
import {
  auditName,
  batchFolder,
  captionName,
  checkpointName,
  damagedName,
  LIMITS_NAME,
  latestBatchName,
  planFolder,
  ratesName,
  removalName,
  usageName,
} from '../../records/layout.ts';
import { beginRemoval } from '../../records/removal.ts';
import { keepRound, roundsOf } from '../../records/rounds.ts';
import { ObjectKept, type ObjectStore, openStore } from '../../store/index.ts';
import { folderStore } from '../activities/rendering.ts';
import { SLOW_MS } from '../store/contract/helpers.ts';
import { useBucket } from '../store/use-bucket.ts';
import { DAY_MS, makeImage, names, objectOf, plan, sampleBatch } from './sample-batch.ts';

const { freshUrl } = useBucket();

const LATER = 100 * DAY_MS;

/** Cleans as if a hundred days from now, when everything that a test has written is old. */
const clean = (store: ObjectStore, changes: Partial<StoreCleaning> = {}) =>
  cleanStore(store, {
    rules: { olderThanMs: 90 * DAY_MS, keep: ['kept-*'], keepLast: 0 },
    objectsUnusedForMs: 7 * DAY_MS,
    whyBusy: async () => null,
    remove: true,
    now: Date.now() + LATER,
    ...changes,
  });

/** Two batches to remove and one to keep, with their own and shared pictures, loose files, and files of others. */
async function usedStore(store: ObjectStore): Promise<{ foreign: string[]; loose: string[] }> {
  await sampleBatch(store, 'old-1', ['fox', 'owl', 'hen']);
  await sampleBatch(store, 'old-2', ['owl', 'cat']);
  await sampleBatch(store, 'kept-1', ['hen', 'elk']);
  const key = 'a'.repeat(64);
  const loose = [
    checkpointName(key),
    captionName(key, 'b'.repeat(64)),
    damagedName(objectOf('bee'), '123'),
    objectOf('nobody knows'),
  ];
  const foreign = [
    'batches/old-1/notes.txt',
    'batches/old-1/fox-edited.png',
    'batches/old-2/_plan/1-00000.jsonl~',
    'objects/.DS_Store',
    'scratch/mine.latents',
    'damaged/mine.png',
    'captions/readme',
    'elsewhere/mine.png',
    LIMITS_NAME,
    usageName('2026-01-01', 1),
    auditName(new Date(0), '9f86d081', 'asked'),
    ratesName(key),
    latestBatchName('file:///catalog.csv'),
  ];
  for (const name of [...loose, ...foreign]) await store.create(name, Buffer.from(name), 'text/plain');
  return { foreign, loose };
}

/** Each kind of store, with the numbers of removals after which a clean is cut off; fewer for a bucket, which is slow. */
const kinds: [string, () => Promise<ObjectStore>, number[]][] = [
  ['a folder', folderStore, [0, 4, 9, 14, 19, 22, 24]],
  ['a bucket', () => openStore(freshUrl()), [14]],
];

/** A store with another `removeVersion`. */
const removing = (store: ObjectStore, removeVersion: ObjectStore['removeVersion']): ObjectStore =>
  new Proxy(store, {
    get(target, key) {
      const value = key === 'removeVersion' ? removeVersion : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

describe.each(kinds)('%s that is cleaned', { timeout: SLOW_MS }, (_, fresh, cuts) => {
  test('loses old batches, what only they need, old leftovers and nothing else; a dry run lists them and writes nothing', async () => {
    const store = await fresh();
    const { foreign, loose } = await usedStore(store);
    const before = await names(store);
    const foretold = await clean(store, { remove: false });
    expect(await names(store)).toEqual(before);
    const cleaned = await clean(store);
    expect(cleaned).toEqual(foretold);
    expect(cleaned.batches.map(({ batch }) => batch)).toEqual(['old-1', 'old-2']);
    expect(cleaned.kept).toEqual([{ batch: 'kept-1', why: 'named by --keep' }]);
    expect(cleaned.counts).toMatchObject({
      ...{ objects: { files: 4 }, checkpoints: { files: 1 }, captions: { files: 1 }, damaged: { files: 1 } },
    });
    const left = await names(store);
    const gone = before.filter((name) => !left.includes(name));
    const ofOldBatches = before.filter((name) => /^batches\/old/.test(name) && !foreign.includes(name));
    const metadata = (name: string) => `metadata/${name}.json`;
    const objects = ['fox', 'owl', 'cat'].map(objectOf);
    const records = objects.map(metadata).filter((name) => before.includes(name));
    expect(gone.sort()).toEqual([...ofOldBatches, ...loose, ...objects, ...records].sort());
    expect(await verifyBatch('kept-1', { store: store.url })).toMatchObject({ images: 2, differences: [] });
    expect((await clean(store)).counts.objects.files).toBe(0);
  });

  test('keeps an object that a batch has planned, found and copied after the batches were read', async () => {
    const store = await fresh();
    await usedStore(store);
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ now: Date.now() + LATER, toFake: ['Date'] });
    let reusing: Promise<unknown> | undefined;
    const reuse = async (): Promise<void> => {
      await plan(store, 'new', ['owl', 'cat']);
      for (const picture of ['owl', 'cat']) await makeImage(store, 'new', picture);
    };
    const racing = removing(store, async (object, uses) => {
      // Each removal of an object waits until another batch has it.
      if (object.name.startsWith('objects/')) {
        reusing ??= reuse();
        await reusing;
      }
      return store.removeVersion(object, uses);
    });
    const { counts } = await clean(racing, { now: Date.now() });
    expect(counts.objects.files).toBe(2);
    expect(await names(store, 'objects/')).toEqual(
      [...['owl', 'cat', 'hen', 'elk'].map(objectOf), 'objects/.DS_Store'].sort(),
    );
  });

  test('reaches the same result when run again, wherever it was cut off', async () => {
    const whole = await fresh();
    await usedStore(whole);
    await clean(whole);
    for (const calls of cuts) {
      const store = await fresh();
      await usedStore(store);
      let left = calls;
      const dying = removing(store, async (object, uses) => {
        if (left === 0) throw new Error('killed');
        left -= 1;
        return store.removeVersion(object, uses);
      });
      await expect(clean(dying)).rejects.toThrow('killed');
      // Rules and ages may have changed by then; started removals are finished anyway.
      const { kept } = await clean(store, { rules: null });
      expect(kept).toEqual([]);
      await clean(store);
      expect(await names(store)).toEqual(await names(whole));
    }
  });

  test('stops between two files on the signal', async () => {
    const store = await fresh();
    await usedStore(store);
    const before = (await names(store)).length;
    const stop = new AbortController();
    const { batches, kept } = await clean(store, { onRemoved: () => stop.abort(), signal: stop.signal });
    expect(batches).toEqual([]);
    expect(kept).toContainEqual({ batch: 'old-1', why: 'its removal was interrupted: the next clean finishes it' });
    // Removals in progress are finished.
    expect((await names(store)).length).toBeGreaterThan(before - 20);
    expect(await names(store, removalName('old-1'))).toEqual([removalName('old-1')]);
    await clean(store, { rules: null });
    expect(await names(store, batchFolder('old-1'))).toEqual(
      ['fox-edited.png', 'notes.txt'].map((name) => `batches/old-1/${name}`),
    );
  });

  test('reports files that the store keeps, and removes the rest', async () => {
    const store = await fresh();
    await usedStore(store);
    const held = removing(store, async (object, uses) => {
      if ([objectOf('fox'), 'batches/old-2/cat.png'].includes(object.name))
        throw new ObjectKept('x', 'a hold keeps it');
      return store.removeVersion(object, uses);
    });
    const { batches, kept, counts } = await clean(held);
    expect(counts.objects).toMatchObject({ kept: 1, keptWhy: 'a hold keeps it' });
    expect(counts.batches).toMatchObject({ kept: 1, keptWhy: 'a hold keeps it' });
    expect(batches.map(({ batch }) => batch)).toEqual(['old-1']);
    expect(kept).toContainEqual({
      batch: 'old-2',
      why: expect.stringMatching(/keeps 1 of its files: a hold keeps it/),
    });
    // A batch's remaining images are needed; its records go last.
    expect(await names(store, planFolder('old-2'))).toHaveLength(2);
    expect(await names(store, 'objects/')).toContain(objectOf('cat'));
    await clean(store);
    expect(await names(store, planFolder('old-2'))).toEqual(['batches/old-2/_plan/1-00000.jsonl~']);
    expect(await names(store, 'objects/')).not.toContain(objectOf('cat'));
  });

  test('leaves a batch alone that gets another round during its removal, and removes the mark', async () => {
    const store = await fresh();
    await usedStore(store);
    let asked = 0;
    const whyBusy = async ({ batch }: { batch: string }) => {
      asked += batch === 'old-1' ? 1 : 0;
      if (asked === 2) return 'it is planning';
      if (batch !== 'old-2' || asked === 0) return null;
      const { record } = await roundsOf(store, 'old-2');
      if (record?.round === 1) await keepRound(store, { ...record, round: 2 });
      return null;
    };
    const { batches, kept } = await clean(store, { whyBusy });
    expect(batches).toEqual([]);
    expect(kept).toEqual([
      { batch: 'kept-1', why: 'named by --keep' },
      { batch: 'old-1', why: 'it was started again in the meantime' },
      { batch: 'old-2', why: 'it was started again in the meantime' },
    ]);
    for (const batch of ['old-1', 'old-2']) expect(await names(store, removalName(batch))).toEqual([]);
    for (const [batch, images] of [
      ['old-1', 3],
      ['old-2', 2],
    ] as const)
      expect(await verifyBatch(batch, { store: store.url })).toMatchObject({ images, differences: [] });
  });

  test('leaves a batch alone that is being forgotten, since its plan lists what else has to go', async () => {
    const store = await fresh();
    await usedStore(store);
    await beginRemoval(store, 'old-1', 'forget');
    expect(await beginRemoval(store, 'old-1', 'clean')).toBe(false);
    const before = await names(store, batchFolder('old-1'));
    const { batches, kept } = await clean(store);
    expect(batches.map(({ batch }) => batch)).toEqual(['old-2']);
    expect(kept).toContainEqual({ batch: 'old-1', why: expect.stringContaining('run the "forget" command again') });
    expect(await names(store, batchFolder('old-1'))).toEqual(before);
    expect(await names(store, 'objects/')).toContain(objectOf('fox'));
  });

  test('continues if the store keeps the mark of a removal, and removes it later', async () => {
    const store = await fresh();
    await usedStore(store);
    const keeping = new Proxy(store, {
      get(target, key) {
        const value = key === 'remove' ? refuse : Reflect.get(target, key);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const refuse = async (name: string): Promise<void> => {
      throw new ObjectKept(name, 'a retention policy keeps it');
    };
    const { batches, counts } = await clean(keeping);
    expect(batches.map(({ batch }) => batch)).toEqual(['old-1', 'old-2']);
    expect(counts.batches).toMatchObject({ kept: 2, keptWhy: 'a retention policy keeps it' });
    expect(await names(store, removalName('old-1'))).toEqual([removalName('old-1')]);
    await clean(store, { rules: null });
    expect(await names(store, removalName('old-1'))).toEqual([]);
  });

  test('leaves objects alone if a record is damaged, and a batch whose own images are unknown; the message says which', async () => {
    const store = await fresh();
    await usedStore(store);
    const [piece] = await names(store, planFolder('old-1'));
    await store.replace(piece!, Buffer.from('{"id":"fo'), 'application/x-ndjson');
    const cleaned = await clean(store);
    expect(cleaned.batches.map(({ batch }) => batch)).toEqual(['old-2']);
    expect(cleaned.kept.at(-1)).toMatchObject({ batch: 'old-1', why: expect.stringContaining('is damaged') });
    expect(cleaned.objectsLeft).toContain(`${piece} in`);
    expect(await names(store, 'objects/')).toHaveLength(7);
    expect(await names(store, removalName('old-1'))).toEqual([]);
  });
});

test('a removed batch leaves no empty folder', async () => {
  const store = await folderStore();
  await sampleBatch(store, 'old-1', ['fox']);
  await clean(store);
  expect(await readdir(new URL(`${store.url}/batches`))).toEqual([]);
  expect(await readdir(new URL(`${store.url}/.tmp`))).toEqual([]);
});

test("a batch's size counts files that share no object's bytes, so that sizes add up to the space freed", async () => {
  const store = await folderStore();
  await sampleBatch(store, 'old-1', ['fox']);
  const { counts, batches } = await clean(store, { remove: false });
  let records = 0;
  for await (const { bytes, isShared } of store.list('batches/')) if (!isShared) records += bytes;
  expect(batches).toMatchObject([{ batch: 'old-1', bytes: records }]);
  expect(counts.batches.bytes).toBe(records);
  expect(counts.objects.bytes).toBe('picture fox'.length);
});
