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

/** What a later round needs besides the plan, the receipts and the catalog. Fields that a later version adds are ignored. */
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
  /** Random, so that if two processes start the same round, one of them learns that it was not the first. */
  claim: z.string(),
  settings: settingsSchema,
  /** Whether it calls a webhook. The address stays out of the store, whose readers may not be allowed to see it. */
  hasWebhook: z.boolean(),
  /** The bundle's rates when the batch was planned; absent if no batch had measured any. */
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
 * Records what a round started with, once: a batch outlives the retention of the server that ran it.
 *
 * @returns false if somebody else has started the round
 */
export function keepRound(store: ObjectStore, { batch, round, settings, hasWebhook, rates }: Round): Promise<boolean> {
  const begun = { begunAt: new Date().toISOString(), claim: randomUUID() };
  const record: RoundRecord = { format: 1, batch, round, ...begun, settings, hasWebhook, rates };
  const bytes = Buffer.from(`${JSON.stringify(record)}\n`);
  return createSame(store, roundName(batch, round), bytes, 'application/json');
}

/** A batch's rounds, as found in a store. */
export type Rounds = {
  /** The number of the last round that left anything; 0 if there is nothing of the batch. */
  last: number;
  /** What the last recorded round started with; earlier versions recorded none. */
  record: RoundRecord | null;
  /** The first piece of the first round's plan; without it there is no plan. */
  firstPiece: string | null;
  /** Whether images were started, which means that the plan before them was complete. */
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

/** The rates known when the batch's first round started; `null` if none were, or an earlier version recorded nothing. */
export async function plannedRates(store: ObjectStore, batch: string): Promise<Rates | null> {
  const name = roundName(batch, 1);
  const bytes = await readIfThere(store, name);
  return bytes === null ? null : (parseRound(bytes, store, name).rates ?? null);
}

/** The numbers of the recorded rounds. Objects with other names are ignored. */
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
    holds: 'what a round of the batch started with',
    remedy: 'Restore the file, or move it aside: a retry then relies on the plan.',
  });
