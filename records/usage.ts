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
  /** The workflow's run id: another attempt at its plan takes nothing again, but a batch that is submitted again does. */
  run: z.string(),
  took: amountSchema,
  /** The day's total so far, including this entry. */
  total: amountSchema,
});

type Entry = z.infer<typeof entrySchema>;

/** Who takes something, and when, which decides the day. */
type Taker = { batch: string; round: number; run: string; at: Date };

/**
 * Takes an amount from a day's limits, once per run. Entries are numbered, and each is created only if its number is
 * free: if two come at the same moment, one sees what the other took.
 *
 * @throws LimitReached if that is more than is left; nothing is taken then
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

/** In order. Objects with other names are ignored. */
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
    holds: "what a batch took of a day's limits",
    remedy: 'Restore the file, or wait for the next day: no batch starts while it is unknown what is left.',
  });
}
