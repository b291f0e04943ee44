import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { imageFormatSchema } from '../domain/image-format.ts';
import { digestSchema } from '../domain/job.ts';
import { SIGNED } from '../domain/parameters.ts';
import { sizeSchema } from '../domain/size.ts';
import { createSame, type ObjectStore, readIfThere } from '../store/index.ts';
import { parseRecord } from './damaged.ts';
import { planFolder, receiptsFolder, roundName, roundsFolder } from './layout.ts';
import { piecesIn } from './plan-and-receipts.ts';
import { type Rates, ratesSchema } from './rates.ts';

const expansionSchema = z.object({
  terms: z.string(),
  sample: z.int().nullable(),
  sampleSeed: z.int(),
  maxPerRow: z.int(),
});

/** What a later round goes on with, beside the plan, the receipts and the catalog. What a later version adds is passed over. */
const settingsSchema = z.object({
  /** URL of the catalog that the first round was planned from. */
  catalog: z.string().optional(),
  /** How that catalog was read, and its pictures named. */
  reading: z
    .object({
      columns: z.record(z.string(), z.string()),
      sheet: z.string().optional(),
      expansion: expansionSchema.optional(),
      naming: z.string().optional(),
    })
    .optional(),
  bundle: z.object({
    name: z.string(),
    digest: digestSchema,
    sizes: z.array(sizeSchema),
    defaults: z.object({ steps: z.int(), guidance: z.number() }),
    maxSteps: z.int().optional(),
    encoder: digestSchema.optional(),
  }),
  defaults: z.object({
    size: sizeSchema,
    format: imageFormatSchema,
    quality: z.int().nullable(),
    seeds: z.literal('fresh').optional(),
    decode: z.literal('whole').optional(),
    sign: z.enum(SIGNED).optional(),
  }),
  window: z.int(),
  team: z.object({ name: z.string(), weight: z.number() }).optional(),
  maxFailures: z.union([z.object({ count: z.int() }), z.object({ share: z.number(), atLeast: z.int() })]).optional(),
});

export type RoundSettings = z.infer<typeof settingsSchema>;

const recordSchema = z.object({
  format: z.literal(1),
  batch: z.string(),
  round: z.int().positive(),
  begunAt: z.iso.datetime(),
  /** Chosen at random by whoever began it, so that of two who begin the same round one is told that it was not the first. */
  claim: z.string(),
  settings: settingsSchema,
  /** Whether it tells a webhook. The address stays out of the store, which other people read than those who may see it. */
  hasWebhook: z.boolean(),
  /** What was known of its bundle's images when the batch was planned; nothing where no batch had measured any. */
  rates: ratesSchema.optional().catch(undefined),
});

export type RoundRecord = z.infer<typeof recordSchema>;

type Round = {
  batch: string;
  round: number;
  settings: RoundSettings;
  hasWebhook: boolean;
  rates?: Rates | undefined;
};

/**
 * Notes what a round was begun with, once: a batch outlives the memory of the server that ran it.
 *
 * @returns false where somebody else has begun the round
 */
export function keepRound(store: ObjectStore, { batch, round, settings, hasWebhook, rates }: Round): Promise<boolean> {
  const begun = { begunAt: new Date().toISOString(), claim: randomUUID() };
  const record: RoundRecord = { format: 1, batch, round, ...begun, settings, hasWebhook, rates };
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
  return createSame(store, roundName(batch, round), bytes, 'application/json');
}

/** What a store tells of a batch's rounds. */
export type Rounds = {
  /** The number of the last one that left anything; 0 where there is nothing of the batch. */
  last: number;
  /** What the last one that was noted was begun with; earlier versions noted none. */
  record: RoundRecord | null;
  /** The first piece of the first round's plan; where it is missing there is no plan. */
  firstPiece: string | null;
  /** Images were begun, so that the plan before them was made to its end. */
  hasReceipts: boolean;
};

export async function roundsOf(store: ObjectStore, batch: string): Promise<Rounds> {
  const noted = await notedRounds(store, batch);
  const planned = await piecesIn(store, planFolder(batch));
  const told = await piecesIn(store, receiptsFolder(batch));
  const newest = Math.max(0, ...noted);
  return {
    last: Math.max(newest, ...[...planned, ...told].map(({ round }) => round)),
    record: newest === 0 ? null : await readRound(store, roundName(batch, newest)),
    firstPiece: planned.find(({ round }) => round === 1)?.name ?? null,
    hasReceipts: told.length > 0,
  };
}

/** By what a batch was planned, when its first round began; `null` where nothing was known then, or an earlier version noted nothing. */
export async function plannedRates(store: ObjectStore, batch: string): Promise<Rates | null> {
  const name = roundName(batch, 1);
  const bytes = await readIfThere(store, name);
  return bytes === null ? null : (parseRound(bytes, store, name).rates ?? null);
}

/** What is not called as we call it is none of ours. */
async function notedRounds(store: ObjectStore, batch: string): Promise<number[]> {
  const found: number[] = [];
  for await (const { name } of store.list(roundsFolder(batch))) {
    const round = Number(/(\d+)\.json$/.exec(name)?.[1] ?? 0);
    if (round > 0 && name === roundName(batch, round)) found.push(round);
  }
  return found;
}

const readRound = async (store: ObjectStore, name: string): Promise<RoundRecord> =>
  parseRound(await store.read(name), store, name);

const parseRound = (bytes: Uint8Array, store: ObjectStore, name: string): RoundRecord =>
  parseRecord(bytes, recordSchema, {
    store: store.url,
    name,
    holds: 'what a round of the batch was begun with',
    remedy: 'Restore the file, or move it aside: a retry then goes by the plan.',
  });
