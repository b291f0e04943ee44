import { expect, test } from 'vitest';
import { ChildLine, type Share } from '../../../models/renderer/child-line.ts';

const one = { bin: 'square', places: 1 };

test('who comes first has the first that is free, and who comes first in line is next', async () => {
  const line = new ChildLine(['a', 'b'], { places: 1 });
  const had: string[] = [];
  const shares = new Map<string, Share<string>>();
  const take = async (name: string) => {
    const share = await line.take(one, undefined);
    shares.set(share.child, share);
    had.push(`${name} has ${share.child}`);
  };
  const giveBack = async (child: string) => {
    shares.get(child)!.giveBack();
    await Promise.resolve();
  };
  await Promise.all([take('one'), take('two')]);
  const later = [take('three'), take('four'), take('five')];
  await giveBack('b');
  await giveBack('a');
  await giveBack('b');
  await Promise.all(later);
  expect(had).toEqual(['one has a', 'two has b', 'three has b', 'four has a', 'five has b']);
});

test('one that is not usable is given once it is', async () => {
  let isUsable = false;
  const line = new ChildLine(['only'], { places: 1, isUsable: () => isUsable });
  const taking = line.take(one, undefined);
  isUsable = true;
  line.serve();
  expect((await taking).child).toBe('only');
});

test('who gives up while waiting leaves the line, and nothing is lost', async () => {
  const line = new ChildLine(['only'], { places: 1 });
  const share = await line.take(one, undefined);
  const impatient = new AbortController();
  const reason = new Error('given up');
  const [first, second] = [line.take(one, impatient.signal), line.take(one, undefined)];
  impatient.abort(reason);
  await expect(first).rejects.toBe(reason);
  share.giveBack();
  const next = await second;
  expect(next.child).toBe('only');
  await expect(line.take(one, impatient.signal)).rejects.toBe(reason);
  next.giveBack();
  expect((await line.take(one, undefined)).child).toBe('only');
});

/** The order in which images have one child with four places, each of them giving its place back once all have one that can. */
async function orderOf(wishes: { bin: string; places?: number; isAlone?: boolean }[]): Promise<string[]> {
  const line = new ChildLine(['only'], { places: 4 });
  const order: string[] = [];
  const inHand: Share<string>[] = [];
  const all = wishes.map(async ({ bin, places = 1, isAlone }) => {
    inHand.push(await line.take({ bin, places, isAlone }, undefined));
    order.push(isAlone ? `${bin} alone` : bin);
  });
  for (let given = 0; given < wishes.length; given += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    inHand.shift()?.giveBack();
  }
  await Promise.all(all);
  return order;
}

test('a child is given more of the bin that it has most of, and no other bin waits forever', async () => {
  const wishes = Array.from({ length: 40 }, (_, i) => ({ bin: i % 2 ? 'wide' : 'square' }));
  const order = await orderOf(wishes);
  const changes = order.slice(1).filter((bin, i) => bin !== order[i]).length;
  expect(changes).toBeLessThan(20);
  expect(order.slice(0, 24)).toContain('wide');

  const endless = await orderOf([
    ...Array.from({ length: 5 }, () => ({ bin: 'square' })),
    { bin: 'wide' },
    ...Array.from({ length: 40 }, () => ({ bin: 'square' })),
  ]);
  expect(endless.indexOf('wide')).toBeLessThan(20);
});

test('one that needs a whole child has it before those that come later, and nobody beside it', async () => {
  const small = Array.from({ length: 6 }, () => ({ bin: 'square' }));
  const order = await orderOf([...small.slice(0, 5), { bin: 'large', isAlone: true }, ...small]);
  expect(order.indexOf('large alone')).toBe(4);
});

test('a large image is not passed forever by small ones that fit sooner', async () => {
  const small = Array.from({ length: 40 }, () => ({ bin: 'square' }));
  const order = await orderOf([...small.slice(0, 4), { bin: 'large', places: 4 }, ...small]);
  expect(order.indexOf('large')).toBeLessThan(16);
});
