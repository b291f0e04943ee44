import { z } from 'zod';
import { cellsOf, type Job, jobSchema } from '../domain/job.ts';
import { failureSchema, isReceipt, type JobOutcome, receiptSchema } from '../domain/receipt.ts';
import { gathered } from '../domain/turns.ts';
import type { ObjectStore } from '../store/index.ts';
import { damaged, type RecordFile } from './damaged.ts';
import { jsonLinePieces, parseJsonLines, toJsonLines } from './formats.ts';
import { planFolder, receiptsFolder, shardReceiptsName, sliceOf } from './layout.ts';

const outcomeSchema = z.union([receiptSchema, failureSchema]);

export const encodeJobs = (jobs: readonly Job[]): Promise<Uint8Array> => gathered(jsonLinePieces(jobs, cellsOf));

export const encodeOutcomes = (outcomes: readonly JobOutcome[]): Uint8Array => toJsonLines(outcomes);

/** The jobs of one plan shard, in its order. @throws ObjectNotFound or DamagedRecord */
export const readJobs = async (store: ObjectStore, name: string): Promise<Job[]> =>
  decodeJobs(await store.read(name), store, name);

/** @throws DamagedRecord */
export async function decodeJobs(bytes: Uint8Array, store: ObjectStore, name: string): Promise<Job[]> {
  const file = planFile(store, name, 'jobs of the plan, one a line');
  const jobs = await parseJsonLines(bytes, jobSchema, file);
  if (jobs.length === 0) throw damaged(file, null, 'none');
  return jobs;
}

/** A shard's part of the plan, for what is told where it is damaged. */
export const planFile = ({ url }: ObjectStore, name: string, holds: string): RecordFile => ({
  store: url,
  name,
  holds,
  remedy:
    'Restore the file, from a backup or as an earlier version of the object; or submit the catalog as another batch, which finds the ' +
    'images that are there.',
});

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
  const receiptNames = await readSlices(store, receiptsFolder(batch), beforeRound);
  const planNames = await readSlices(store, planFolder(batch), beforeRound);
  const later = await byId(receiptNames.laterRounds, (name) => readOutcomes(store, name));
  const replanned = await byId(planNames.laterRounds, (name) => readJobs(store, name));
  for (const [name, shard] of planNames.firstRound) {
    const receipts = shardReceiptsName(batch, 1, shard);
    const first = receiptNames.firstRound.has(receipts) ? await readOutcomes(store, receipts) : [];
    const outcomes = new Map(first.map((outcome) => [outcome.id, outcome]));
    for (const planned of await readJobs(store, name)) {
      const plans = [planned, ...(replanned.get(planned.id) ?? [])];
      const job = plans.at(-1)!;
      const told = [outcomes.get(planned.id) ?? [], later.get(planned.id) ?? []].flat();
      yield { job, outcome: lastWord(job, told), earlier: plans.slice(0, -1) };
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

async function byId<T extends { id: string }>(names: string[], read: (name: string) => Promise<T[]>) {
  const found = new Map<string, T[]>();
  for (const name of names) {
    for (const value of await read(name)) found.set(value.id, [...(found.get(value.id) ?? []), value]);
  }
  return found;
}

/** Names of the slices in a folder: the first round's with their shards, and those of later rounds in the rounds' order. */
async function readSlices(store: ObjectStore, folder: string, beforeRound: number) {
  const firstRound = new Map<string, number>();
  const laterRounds: { name: string; round: number }[] = [];
  for await (const { name } of store.list(folder)) {
    const slice = sliceOf(folder, name);
    if (slice === null) continue;
    const { round, shard } = slice;
    if (round === 1) firstRound.set(name, shard);
    else if (round < beforeRound) laterRounds.push({ name, round });
  }
  // Names sort as text, and round 10 comes after round 9.
  laterRounds.sort((a, b) => a.round - b.round);
  return { firstRound, laterRounds: laterRounds.map(({ name }) => name) };
}

const readOutcomes = async (store: ObjectStore, name: string): Promise<JobOutcome[]> =>
  parseJsonLines(await store.read(name), outcomeSchema, {
    store: store.url,
    name,
    holds: 'what became of jobs, one a line',
    remedy:
      'Restore the file, or move it out of the folder: its images then count as not made, and a retry finds them by their render keys and ' +
      'draws none of them again.',
  });
