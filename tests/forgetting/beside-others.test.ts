import { expect, test } from 'vitest';
import { cleanStore } from '../../cleaning/clean-store.ts';
import { verifyBatch } from '../../client/index.ts';
import { beginForgetting, forgetRows, type Sought, survey } from '../../forgetting/index.ts';
import { copyName, planFolder, removalName, revisionName, shardName } from '../../records/layout.ts';
import { beginRemoval, checkNotRemoved, removerOf } from '../../records/removal.ts';
import { keepRound, roundsOf } from '../../records/rounds.ts';
import type { ObjectStore } from '../../store/index.ts';
import { folderStore } from '../activities/rendering.ts';
import { DAY_MS, names, objectOf, sampleBatch } from '../cleaning/sample-batch.ts';

const nothing = (): void => {};
const foxes: Sought = { filters: [{ column: 'prompt', pattern: 'fox' }], bundles: [] };

/** A batch with a row to forget, and one without. */
async function storeOfBatches(): Promise<ObjectStore> {
  const store = await folderStore();
  await sampleBatch(store, 'spring', ['fox', 'owl']);
  await sampleBatch(store, 'summer', ['hen']);
  return store;
}

async function forget(store: ObjectStore, onStep = nothing) {
  const found = await survey(store, foxes, nothing);
  await beginForgetting(store, found);
  return forgetRows(store, found, async () => false, onStep);
}

const retried = async (store: ObjectStore, batch: string): Promise<void> => {
  const { record } = await roundsOf(store, batch);
  await keepRound(store, { ...record!, round: 2 });
  await checkNotRemoved(store, batch);
};

/** The whole store's readable text. */
async function words(store: ObjectStore): Promise<string> {
  const texts: string[] = [];
  for (const name of await names(store)) texts.push(name, Buffer.from(await store.read(name)).toString());
  return texts.join('\n');
}

test('no other round of a batch starts while rows of it are forgotten, but one may afterwards', async () => {
  const store = await storeOfBatches();
  const begun: unknown[] = [];
  const found = await survey(store, foxes, nothing);
  await beginForgetting(store, found);
  await checkNotRemoved(store, 'spring').catch((error: unknown) => begun.push(error));
  expect(begun).toMatchObject([
    { message: expect.stringMatching(/^rows of batch spring .*"npx pixart-batch forget --where" again/) },
  ]);
  await expect(checkNotRemoved(store, 'summer')).resolves.toBeUndefined();
  expect(await forgetRows(store, found, async () => false, nothing)).toEqual([]);
  expect(await words(store)).not.toContain('fox');
  await retried(store, 'spring');
  expect(await verifyBatch('spring', { store: store.url })).toMatchObject({ images: 1, differences: [] });
});

test('a batch that gets another round after its plan was read stays unchanged, and so do other batches', async () => {
  const store = await storeOfBatches();
  const before = await words(store);
  const found = await survey(store, foxes, nothing);
  await retried(store, 'spring');
  await expect(beginForgetting(store, found)).rejects.toThrow(
    /another round of it has started in the meantime.*cancel spring --wait/,
  );
  await store.remove('batches/spring/_rounds/2.json');
  expect(await words(store)).toBe(before);
});

/** Leaves what a killed process leaves: it has done some of the steps, or all but the removal of the mark. */
async function forgetHalf(store: ObjectStore, steps: number): Promise<void> {
  let left = steps;
  const dying = new Proxy(store, {
    get(target, property) {
      const member = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (property === 'remove' && args[0] === removalName('spring')) return Promise.reject(new Error('killed'));
        return member.apply(target, args);
      };
    },
  });
  const step = (): void => {
    if (left-- === 0) throw new Error('killed');
  };
  await expect(forget(dying, step)).rejects.toThrow('killed');
}

test.each([
  ['at once', 0],
  ['half way', 7],
  ['before its last step', Number.POSITIVE_INFINITY],
])(
  'killed %s, a clean leaves the batch alone, and the same request forgets the rest and ends the note',
  async (_, steps) => {
    const store = await storeOfBatches();
    await forgetHalf(store, steps);
    const rules = { olderThanMs: 90 * DAY_MS, keep: ['summer'], keepLast: 0 };
    const now = Date.now() + 100 * DAY_MS;
    const cleaning = { rules, objectsUnusedForMs: 200 * DAY_MS, whyBusy: async () => null, remove: true, now };
    const { kept } = await cleanStore(store, cleaning);
    expect(kept).toContainEqual({ batch: 'spring', why: expect.stringContaining('run the "forget" command again') });
    expect(await forget(store)).toEqual([]);
    expect(await words(store)).not.toContain('fox');
    expect(await removerOf(store, 'spring')).toBeNull();
    expect(await verifyBatch('spring', { store: store.url })).toMatchObject({ images: 1, differences: [] });
  },
);

test("a clean's mark stays if rows of its batch are forgotten in the meantime", async () => {
  const store = await storeOfBatches();
  await beginRemoval(store, 'spring', 'clean');
  expect(await forget(store)).toEqual([]);
  expect(await removerOf(store, 'spring')).toBe('clean');
  expect(await names(store, removalName('spring'))).toHaveLength(1);
});

test("another batch's corrected catalog is named and removed if it has the value as a word, and stays if only within a longer one", async () => {
  const store = await storeOfBatches();
  const corrected = (digit: string) => revisionName('summer', 'corrected', digit.repeat(64), 'csv');
  const texts = ['id,prompt\n1,foxglove\n2,firefox\n', 'id,prompt\n1,fox\n', 'id,prompt\r\n1,"a red\nfox"\r\n'];
  for (const [at, text] of texts.entries()) await store.create(corrected(`${at}`), Buffer.from(text), 'text/csv');
  await store.create(corrected('3'), Buffer.from('\ufeffid,prompt\n1,fox\n', 'utf16le'), 'text/csv');
  const elsewhere = async (pattern: string) =>
    (await survey(store, { ...foxes, filters: [{ column: 'prompt', pattern }] }, nothing)).elsewhere;
  expect(await elsewhere('fox')).toEqual(['1', '2', '3'].map(corrected));
  expect(await elsewhere('fox*')).toEqual(['0', '1', '2', '3'].map(corrected));
  expect(await elsewhere('*fox*')).toEqual(['0', '1', '2', '3'].map(corrected));
  expect(await elsewhere('fire*fox')).toEqual([corrected('0')]);
  expect(await elsewhere('[fox')).toEqual([]);
  await forget(store);
  expect(await names(store, 'batches/summer/_catalog/')).toEqual([corrected('0')]);
});

test('a batch whose plan is damaged is named and keeps its copies when a picture that it shares is forgotten', async () => {
  const store = await storeOfBatches();
  await sampleBatch(store, 'autumn', ['fox']);
  const [plan] = await names(store, planFolder('autumn'));
  expect(plan).toBe(shardName('autumn', 1, 0));
  await store.replace(plan!, Buffer.from('{"id":"fo'), 'application/x-ndjson');
  const warnings: string[] = [];
  const found = await survey(store, { batch: 'spring', filters: [], bundles: [] }, (text) => warnings.push(text));
  await beginForgetting(store, found);
  expect(await forgetRows(store, found, async () => false, nothing)).toEqual([]);
  expect(warnings).toEqual([expect.stringContaining('autumn')]);
  expect(await names(store, 'objects/')).toEqual([objectOf('hen')]);
  expect(await names(store, copyName('autumn', { id: 'fox', format: 'png' }))).toHaveLength(1);
});
