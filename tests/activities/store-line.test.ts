import { beforeEach, expect, test } from 'vitest';
import { StoreLine } from '../../activities/store-line.ts';

let line: StoreLine;
/** Who asked after how many seconds. */
let asked: [string, number][];
let isFull: boolean;

beforeEach(() => {
  let pause = 0;
  line = new StoreLine(1_000, async (ms, signal) => {
    signal.throwIfAborted();
    pause = ms / 1_000;
  });
  asked = [];
  isFull = true;
  ask = (name, signal = new AbortController().signal) =>
    line.ask(async () => {
      asked.push([name, pause]);
      if (isFull) throw new Error('full');
    }, signal);
});

let ask: (name: string, signal?: AbortSignal) => Promise<void>;

/** As a picture waits: it asks until it is answered, or until there is room after so many refusals. */
async function keepAsking(name: string, refusals: number): Promise<void> {
  for (;;) {
    try {
      return await ask(name);
    } catch {
      isFull = asked.length < refusals;
    }
  }
}

test('they ask in turn, after a pause that grows up to half a minute, and follow without one when the store is back', async () => {
  await Promise.all(['a', 'b', 'c'].map((name) => keepAsking(name, 7)));
  expect(asked).toEqual([
    ...[
      ['a', 1],
      ['b', 2],
      ['c', 4],
      ['a', 8],
      ['b', 16],
      ['c', 30],
      ['a', 30],
    ],
    ...[
      ['b', 30],
      ['c', 0],
      ['a', 0],
    ],
  ]);
});

test('a store that is full again is asked as seldom as before', async () => {
  isFull = false;
  await ask('a');
  isFull = true;
  for (const name of ['b', 'c', 'd']) await expect(ask(name)).rejects.toThrow('full');
  expect(asked.slice(1)).toEqual([
    ['b', 0],
    ['c', 1],
    ['d', 2],
  ]);
});

test('who does not wait any more leaves at once, whether it is its turn or not, and the next one has it', async () => {
  const stop = new AbortController();
  const left = ['a', 'b'].map((name) => expect(ask(name, stop.signal)).rejects.toThrow('cancelled'));
  isFull = false;
  const other = ask('c');
  stop.abort(new Error('cancelled'));
  await Promise.all([...left, other]);
  expect(asked).toEqual([['c', 1]]);
});
