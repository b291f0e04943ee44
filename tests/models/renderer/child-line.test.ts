import { expect, test } from 'vitest';
import { ChildLine } from '../../../models/renderer/child-line.ts';

const any = () => true;

test('who comes first has the first that is free, and who comes first in line is next', async () => {
  const line = new ChildLine(['a', 'b'], any);
  const had: string[] = [];
  const take = async (name: string, place: 'first' | 'last' = 'last') => {
    const child = await line.take(undefined, place);
    had.push(`${name} has ${child}`);
  };
  await Promise.all([take('one'), take('two')]);
  const later = [take('three'), take('four'), take('five', 'first')];
  line.give('b');
  line.give('a');
  line.give('b');
  await Promise.all(later);
  expect(had).toEqual(['one has a', 'two has b', 'five has b', 'three has a', 'four has b']);
});

test('of several that are free a preferred one is given, and another one where none is preferred', async () => {
  const line = new ChildLine(['dead', 'alive', 'also dead'], (child) => child === 'alive');
  expect(await line.take(undefined)).toBe('alive');
  expect(await line.take(undefined)).toBe('dead');
});

test('who gives up while waiting leaves the line, and nothing is lost', async () => {
  const line = new ChildLine(['only'], any);
  const child = await line.take(undefined);
  const impatient = new AbortController();
  const reason = new Error('given up');
  const [first, second] = [line.take(impatient.signal), line.take(undefined)];
  impatient.abort(reason);
  await expect(first).rejects.toBe(reason);
  line.give(child);
  expect(await second).toBe('only');
  await expect(line.take(impatient.signal)).rejects.toBe(reason);
  line.give(child);
  expect(await line.take(undefined)).toBe('only');
});
