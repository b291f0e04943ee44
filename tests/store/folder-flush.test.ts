import { expect, test } from 'vitest';
import { FolderFlush } from '../../store/folder-flush.ts';

/** A disk that finishes each flush on command. */
function slowDisk() {
  const begun: { folder: string; end: () => void; fail: (error: Error) => void }[] = [];
  const sync = (folder: string) =>
    new Promise<void>((resolve, reject) => begun.push({ folder, end: resolve, fail: reject }));
  return { begun, sync };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('a name that is added while a flush runs is not covered by it: a second flush starts, for all that wait', async () => {
  const { begun, sync } = slowDisk();
  const flush = new FolderFlush(sync);
  const done: string[] = [];
  const wait = (name: string) => flush.flush('objects').then(() => done.push(name));
  wait('first');
  await turn();
  const others = [wait('second'), wait('third')];
  await turn();
  expect(begun).toHaveLength(1);
  begun[0]!.end();
  await turn();
  expect(done).toEqual(['first']);
  expect(begun).toHaveLength(2);
  begun[1]!.end();
  await Promise.all(others);
  expect(done).toEqual(['first', 'second', 'third']);
});

test('folders do not wait for each other, and a failed flush fails only the callers that waited for it', async () => {
  const { begun, sync } = slowDisk();
  const flush = new FolderFlush(sync);
  const broken = flush.flush('a');
  const other = flush.flush('b');
  await turn();
  expect(begun.map(({ folder }) => folder)).toEqual(['a', 'b']);
  const later = flush.flush('a');
  begun[0]!.fail(new Error('EIO'));
  await expect(broken).rejects.toThrow('EIO');
  await turn();
  begun[1]!.end();
  begun[2]!.end();
  await Promise.all([other, later]);
});
