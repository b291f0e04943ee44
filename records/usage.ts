import { z } from 'zod';
import type { ObjectStore } from '../store/index.ts';
import { parseRecord } from './damaged.ts';
import { usageFolder, usageName } from './layout.ts';
import { type Amount, checkLimits, dayOf, type Limits, NOTHING, sumOf } from './limits.ts';

const amountSchema = z.object({ images: z.int().nonnegative(), pixels: z.int().nonnegative() });

const entrySchema = z.object({
  format: z.literal(1),
  at: z.iso.datetime(),
  batch: z.string(),
  round: z.int().positive(),
  /** The workflow's run: another attempt at its plan takes nothing again, and a batch that is submitted again does. */
  run: z.string(),
  took: amountSchema,
  /** Of the day so far, this one included. */
  total: amountSchema,
});

type Entry = z.infer<typeof entrySchema>;

/** Who takes something, and the time by which its day goes. */
export type Taker = { batch: string; round: number; run: string; at: Date };

/**
 * Takes an amount from a day's limits, once for a run. Entries are numbered, and each is created only where no other has its number: of two at
 * the same moment one sees what the other took.
 *
 * @throws LimitReached where that is more than is left; nothing is taken then
 */
export async function takeFromDay(store: ObjectStore, limits: Limits, taker: Taker, took: Amount): Promise<void> {
  const { at, ...who } = taker;
  const day = dayOf(at);
  for (;;) {
    const entries = await entriesOf(store, day);
    if (entries.some(({ run }) => run === taker.run)) return;
    const { number, total: used } = entries.at(-1) ?? { number: 0, total: NOTHING };
    checkLimits(store, limits, day, used, took);
    const entry: Entry = { format: 1, at: at.toISOString(), ...who, took, total: sumOf(used, took) };
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    if ((await store.create(usageName(day, number + 1), bytes, 'application/json')).created) return;
  }
}

/** What a day's batches have taken so far. */
export async function usedOn(store: ObjectStore, day: string): Promise<Amount> {
  const last = (await numbersOf(store, day)).at(-1);
  return last === undefined ? NOTHING : (await readEntry(store, day, last)).total;
}

const READ_AT_ONCE = 16;

async function entriesOf(store: ObjectStore, day: string): Promise<(Entry & { number: number })[]> {
  const numbers = await numbersOf(store, day);
  const entries: (Entry & { number: number })[] = [];
  for (let start = 0; start < numbers.length; start += READ_AT_ONCE) {
    const some = numbers.slice(start, start + READ_AT_ONCE);
    entries.push(
      ...(await Promise.all(some.map(async (number) => ({ number, ...(await readEntry(store, day, number)) })))),
    );
  }
  return entries;
}

/** In their order. What is not called as we call it is none of ours. */
async function numbersOf(store: ObjectStore, day: string): Promise<number[]> {
  const numbers: number[] = [];
  for await (const { name } of store.list(usageFolder(day))) {
    const number = Number(/(\d+)\.json$/.exec(name)?.[1] ?? 0);
    if (number > 0 && name === usageName(day, number)) numbers.push(number);
  }
  return numbers.toSorted((a, b) => a - b);
}

async function readEntry(store: ObjectStore, day: string, number: number): Promise<Entry> {
  const name = usageName(day, number);
  return parseRecord(await store.read(name), entrySchema, {
    store: store.url,
    name,
    holds: 'what a batch took of the limits of a day',
    remedy: 'Restore the file, or wait for the next day: nothing is started while nobody knows what is left.',
  });
}
