import { expect, test } from 'vitest';
import { beginForgetting, forgetRows, survey } from '../../forgetting/index.ts';
import { batchFolder, removalName } from '../../records/layout.ts';
import { removerOf } from '../../records/removal.ts';
import { keepRound, roundsOf } from '../../records/rounds.ts';
import { ObjectKept, type ObjectStore } from '../../store/index.ts';
import { folderStore } from '../activities/rendering.ts';
import { names, objectOf, sampleBatch } from '../cleaning/sample-batch.ts';

const nothing = (): void => {};
const foxes = { filters: [{ column: 'prompt', pattern: 'fox' }], bundles: [] };

async function storeOfBatches(): Promise<ObjectStore> {
  const store = await folderStore();
  await sampleBatch(store, 'spring', ['fox']);
  await sampleBatch(store, 'spring-2', ['owl']);
  return store;
}

/** What the command does with --yes, except on the server. */
async function forget(store: ObjectStore, within = store, sought: Parameters<typeof survey>[1] = foxes) {
  const found = await survey(store, sought, nothing);
  await beginForgetting(within, found);
  return forgetRows(within, found, async () => false, nothing);
}

/** A store that refuses to remove the mark of a batch's removal. */
const keepingNote = (store: ObjectStore, error: Error): ObjectStore =>
  new Proxy(store, {
    get(target, property) {
      const member = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (property === 'remove' && args[0] === removalName('spring')) return Promise.reject(error);
        return member.apply(target, args);
      };
    },
  });

test('a batch removed as a whole leaves nothing behind, and one whose id starts the same stays', async () => {
  const store = await storeOfBatches();
  const before = await names(store, batchFolder('spring-2'));
  expect(await forget(store)).toEqual([]);
  expect(await names(store, 'batches/')).toEqual(before);
  expect(await names(store, 'objects/')).toEqual([objectOf('owl')]);
});

test('a batch that gets another round after the survey stays, and can be retried', async () => {
  const store = await storeOfBatches();
  const before = await names(store);
  const found = await survey(store, foxes, nothing);
  const { record } = await roundsOf(store, 'spring');
  await keepRound(store, { ...record!, round: 2 });
  await expect(beginForgetting(store, found)).rejects.toThrow(
    /another round of it has started in the meantime.*cancel spring --wait/,
  );
  expect(await names(store)).toEqual([...before, 'batches/spring/_rounds/2.json'].sort());
});

test.each([
  ['its id', { batch: 'spring', filters: [], bundles: [] }],
  ['the same filter', foxes],
])('killed with nothing left but the note, forgetting is ended by %s', async (_, again) => {
  const store = await storeOfBatches();
  await expect(forget(store, keepingNote(store, new Error('killed')))).rejects.toThrow('killed');
  expect(await names(store, batchFolder('spring'))).toEqual([removalName('spring')]);
  expect(await removerOf(store, 'spring')).toBe('forget');
  expect((await survey(store, again, nothing)).begun).toEqual(['spring']);
  expect(await forget(store, store, again)).toEqual([]);
  expect(await names(store, batchFolder('spring'))).toEqual([]);
});

test('a mark that the store keeps is listed with the reason', async () => {
  const store = await storeOfBatches();
  const kept = keepingNote(store, new ObjectKept('x', 'a retention policy keeps it'));
  expect(await forget(store, kept)).toEqual([{ name: removalName('spring'), why: 'a retention policy keeps it' }]);
});
