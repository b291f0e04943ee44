import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Budget } from '../../../benchmarks/gpu/budget.ts';
import { type Item, isPeers, itemsOf, REAL, type Task, TOY, withoutPeers } from '../../../benchmarks/gpu/items.ts';
import { noResults, type Results, type Sample } from '../../../benchmarks/gpu/results.ts';
import { listText, runList, stateOf } from '../../../benchmarks/gpu/run-list.ts';

const MACHINE = { device: 'a GPU', memoryBytes: 1, isToy: true };
const ITEMS = itemsOf(REAL);

/** Runs the list on a clock that only measuring moves, by `secondsOf` each; returns what was measured, in its order. */
async function run(
  items: readonly Item[],
  results: Results,
  { minutes = 1_000, secondsOf = (_: Task) => 1, endAt = Number.POSITIVE_INFINITY },
): Promise<{ tasks: Task[]; said: string[] }> {
  const tasks: Task[] = [];
  const said: string[] = [];
  let now = 0;
  const end = new AbortController();
  const measure = async (task: Task, signal: AbortSignal): Promise<Sample> => {
    if (tasks.length === endAt) end.abort();
    signal.throwIfAborted();
    tasks.push(task);
    now += 1_000 * secondsOf(task);
    return { seconds: 1, images: 1 };
  };
  const budget = new Budget(minutes, () => now);
  const save = async (): Promise<void> => {};
  await runList(items, results, { budget, signal: end.signal, measure, save, say: (line) => said.push(line) });
  return { tasks, said };
}

it('measures everything in the order of the list, its series in turn', async () => {
  const results = noResults(MACHINE);
  const { tasks } = await run(ITEMS, results, {});
  const expected = ITEMS.flatMap(({ rounds, series }) => Array.from({ length: rounds }, () => Object.values(series)));
  expect(tasks).toEqual(expected.flat());
  for (const item of ITEMS) expect(stateOf(results, item)).toBe('done');
  expect((await run(ITEMS, results, {})).tasks).toEqual([]);
});

it('ends when the time does, whenever that is, and goes on where it was', async () => {
  const whole = (await run(ITEMS, noResults(MACHINE), {})).tasks;
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(whole.length), { maxLength: 5 }), async (ends) => {
      const results = noResults(MACHINE);
      const measured: Task[] = [];
      for (const endAt of [...ends, Number.POSITIVE_INFINITY]) {
        const reread = structuredClone(results);
        measured.push(...(await run(ITEMS, reread, { endAt })).tasks);
        Object.assign(results, reread);
      }
      expect(measured).toEqual(whole);
    }),
  );
});

it('measures what does not fit after the later items that do, in the time that is left', async () => {
  const short = { ...ITEMS[1]!, name: 'short', seconds: 10, rounds: 1 };
  const long = { ...ITEMS[0]!, name: 'long', seconds: 61 };
  const results = noResults(MACHINE);
  const { said } = await run([long, short], results, { minutes: 1, secondsOf: () => 10 });
  expect(Object.keys(results.items)).toEqual(['short', 'long']);
  expect(said[0]).toBe('long: passed over for now; about 61 s of 60 s left');
  expect(said).toContain('long: begun, though it may not end in time; about 61 s of 40 s left');
});

it('looks at the time that is left, not at what was estimated, and begins nothing once it is over', async () => {
  const [first, second, third] = ['first', 'second', 'third'].map((name, at) => ({
    ...ITEMS[0]!,
    ...{ name, seconds: at === 0 ? 5 : 30, rounds: 1 },
  }));
  const results = noResults(MACHINE);
  await run([first!, second!, third!], results, { minutes: 1, secondsOf: () => 40 });
  expect(Object.keys(results.items)).toEqual(['first', 'second']);
});

it('keeps the samples of a series that fails, measures the others, and tries it again in the next run', async () => {
  const [, item, next] = ITEMS;
  const results = noResults(MACHINE);
  let calls = 0;
  const secondsOf = (): number => {
    calls += 1;
    if (calls === 4) throw new Error('out of memory');
    return 1;
  };
  await run([item!, next!], results, { secondsOf });
  expect(results.items[item!.name]).toMatchObject({ state: 'failed', error: 'eager: out of memory' });
  expect(Object.values(results.items[item!.name]!.series).map((samples) => samples.length)).toEqual([item!.rounds, 1]);
  expect(stateOf(results, next!)).toBe('done');
  const { tasks } = await run([item!, next!], results, {});
  expect(tasks).toHaveLength(item!.rounds - 1);
  expect(results.items[item!.name]).not.toHaveProperty('error');
});

it('measures what is missing after a run without peers', async () => {
  const results = noResults(MACHINE);
  const ours = withoutPeers(ITEMS);
  await run(ours, results, {});
  const states = (items: readonly Item[]) => items.map((item) => stateOf(results, item));
  expect(new Set(states(ours))).toEqual(new Set(['done']));
  for (const item of ITEMS.filter(({ series }) => Object.values(series).some(isPeers)))
    expect(stateOf(results, item), item.name).not.toBe('done');
  // Ended in the middle of the second item's peer: without peers, that item is done all the same.
  const begun = structuredClone(results);
  await run(ITEMS, begun, { endAt: 2 });
  expect(stateOf(begun, ITEMS[1]!)).toBe('partial');
  for (const item of ours) expect(stateOf(begun, item), item.name).toBe('done');
  const { tasks } = await run(ITEMS, results, {});
  const open = ITEMS.flatMap(({ name, rounds, series }) => {
    const isNew = ours.every((item) => item.name !== name);
    return Array.from({ length: rounds }, () => Object.values(series).filter((task) => isNew || isPeers(task))).flat();
  });
  expect(tasks).toEqual(open);
  expect(ITEMS.filter(({ name }) => ours.every((item) => item.name !== name)).map(({ name }) => name)).toEqual([
    '1024-compiled',
    '512-compiled',
  ]);
});

it('lists what is left, with the sum of its estimates', async () => {
  const results = noResults(MACHINE);
  await run(ITEMS.slice(0, 1), results, {});
  const rows = listText(ITEMS, results).split('\n').slice(1);
  expect(rows).toHaveLength(ITEMS.length);
  expect(rows[0]).toMatch(/^memory-1024 +0 s +done/);
  const left = ITEMS.slice(1).reduce((sum, { seconds }) => sum + seconds, 0);
  expect(rows.at(-1)).toContain(` ${left} s  open`);
});

it('has the same list with tiny networks, where every image has the smallest size', () => {
  const toy = itemsOf(TOY);
  expect(toy.map(({ name, series }) => [name, Object.keys(series)])).toEqual(
    ITEMS.map(({ name, series }) => [name, Object.keys(series)]),
  );
  for (const { series } of toy)
    for (const task of Object.values(series)) if ('bin' in task) expect(task.bin).toEqual({ height: 256, width: 256 });
});
