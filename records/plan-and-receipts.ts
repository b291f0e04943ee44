import { z } from 'zod';
import { type Job, jobSchema } from '../domain/job.ts';
import { failureSchema, isReceipt, type JobOutcome, receiptSchema } from '../domain/receipt.ts';
import type { ObjectStore } from '../store/index.ts';
import { parseJsonLines, toJsonLines } from './formats.ts';
import { planFolder, receiptsFolder } from './layout.ts';

const outcomeSchema = z.union([receiptSchema, failureSchema]);

export const encodeJobs = (jobs: Job[]): Uint8Array => toJsonLines(jobs);

export const encodeOutcomes = (outcomes: JobOutcome[]): Uint8Array => toJsonLines(outcomes);

/** The jobs of one plan shard, in its order. @throws ObjectNotFound */
export const readJobs = async (store: ObjectStore, name: string): Promise<Job[]> => decodeJobs(await store.read(name));

export const decodeJobs = (bytes: Uint8Array): Job[] => parseJsonLines(bytes, jobSchema);

/** A row of a batch: the job that was planned for it last, what became of that, and what earlier rounds had planned. */
export type RowOutcome = { job: Job; outcome: JobOutcome | undefined; earlier: Job[] };

/**
 * Every row of the batch in the first plan's order. Its outcome is the receipt of any round that is of the picture which was planned last,
 * else the last failure since there was another picture; `undefined` where no round came to it.
 *
 * @param beforeRound takes the rounds before this one only
 */
export async function* batchOutcomes(
  store: ObjectStore,
  batch: string,
  beforeRound = Number.POSITIVE_INFINITY,
): AsyncGenerator<RowOutcome> {
  // A night's retries are few; only the first round is too large to be kept in memory whole.
  const receipts = await readPieces(store, receiptsFolder(batch), beforeRound);
  const plans = await readPieces(store, planFolder(batch), beforeRound);
  const later = await byId(receipts.laterRounds, (name) => readOutcomes(store, name));
  const replanned = await byId(plans.laterRounds, (name) => readJobs(store, name));
  for (const { name, shard } of plans.firstRound) {
    const ofShard = receipts.firstRound.filter((piece) => piece.shard === shard);
    const outcomes = await byId(ofShard, (receiptsName) => readOutcomes(store, receiptsName));
    for (const planned of await readJobs(store, name)) {
      const pictures = [planned, ...(replanned.get(planned.id) ?? [])];
      const job = pictures.at(-1)!;
      const told = [outcomes.get(planned.id) ?? [], later.get(planned.id) ?? []].flat();
      yield { job, outcome: lastWord(job, told), earlier: pictures.slice(0, -1) };
    }
  }
}

/**
 * @param told by the rounds, in their order. Shards of a round that was terminated write their receipts when the next one may have begun:
 * whenever it comes, an image of what was planned last is the last word.
 */
function lastWord(job: Job, told: JobOutcome[]): JobOutcome | undefined {
  const image = told.findLast((outcome) => isReceipt(outcome) && outcome.renderKey === job.renderKey);
  return image ?? told.slice(told.findLastIndex(isReceipt) + 1).at(-1);
}

async function byId<T extends { id: string }>(pieces: Piece[], read: (name: string) => Promise<T[]>) {
  const found = new Map<string, T[]>();
  for (const { name } of pieces) {
    for (const value of await read(name)) found.set(value.id, [...(found.get(value.id) ?? []), value]);
  }
  return found;
}

/** A part of a round's plan, or what became of one: more than one where the store kept what an earlier run of the round had written. */
type Piece = { name: string; round: number; shard: number; number: number };

/** The pieces in a folder, by round, shard and number. */
async function readPieces(store: ObjectStore, folder: string, beforeRound: number) {
  const pieces: Piece[] = [];
  for await (const { name } of store.list(folder)) pieces.push(pieceOf(name));
  // Names sort as text, and round 10 comes after round 9.
  pieces.sort((a, b) => a.round - b.round || a.shard - b.shard || a.number - b.number);
  return {
    firstRound: pieces.filter(({ round }) => round === 1),
    laterRounds: pieces.filter(({ round }) => round > 1 && round < beforeRound),
  };
}

function pieceOf(name: string): Piece {
  const [found, round, shard, number = '1'] = /(\d+)-(\d+)(?:-(\d+))?\.jsonl$/.exec(name) ?? [];
  if (found === undefined) throw new Error(`${name}: expected an object called <round>-<shard>.jsonl`);
  return { name, round: Number(round), shard: Number(shard), number: Number(number) };
}

const readOutcomes = async (store: ObjectStore, name: string): Promise<JobOutcome[]> =>
  parseJsonLines(await store.read(name), outcomeSchema);
