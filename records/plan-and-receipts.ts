import { z } from 'zod';
import { cellsOf, type Job, jobSchema } from '../domain/job.ts';
import { quoted } from '../domain/printable.mjs';
import { failureSchema, isReceipt, type JobOutcome, receiptSchema } from '../domain/receipt.ts';
import { gathered } from '../domain/turns.ts';
import type { ObjectStore } from '../store/index.ts';
import { type DamagedRecord, damaged, type RecordFile } from './damaged.ts';
import { jsonLinePieces, parseJsonLines, toJsonLines } from './formats.ts';
import { type Piece, pieceOf, planFolder, receiptsFolder, shardName } from './layout.ts';

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

/** A shard's part of the plan, for the error if it is damaged. */
export const planFile = ({ url }: ObjectStore, name: string, holds: string): RecordFile => ({
  store: url,
  name,
  holds,
  remedy:
    'Restore the file from a backup or an earlier version of the object; or submit the catalog as another batch, which reuses the ' +
    'images that are there.',
});

/** A row of a batch: the job planned for it last, that job's outcome, and the jobs that earlier rounds planned. */
export type RowOutcome = { job: Job; outcome: JobOutcome | undefined; earlier: Job[] };

/**
 * Every row of the batch, in the first plan's order. Its outcome is any round's receipt for the picture planned last,
 * else the last failure since the row's last picture; `undefined` if no round reached it.
 *
 * @param beforeRound reads only the rounds before this one
 * @throws DamagedRecord if the plan lacks something that receipts mention, at the latest after the last row
 */
export async function* batchOutcomes(
  store: ObjectStore,
  batch: string,
  beforeRound = Number.POSITIVE_INFINITY,
): AsyncGenerator<RowOutcome> {
  // Retries have few rows; only the first round is too large to be held in memory.
  const receipts = await readPieces(store, receiptsFolder(batch), beforeRound);
  const plans = await readPieces(store, planFolder(batch), beforeRound);
  const later = await byId(receipts.laterRounds, (name) => readOutcomes(store, name));
  const replanned = await byId(plans.laterRounds, (name) => readJobs(store, name));
  const unread = new Set(receipts.firstRound);
  for (const { name, shard } of plans.firstRound) {
    const ofShard = receipts.firstRound.filter((piece) => piece.shard === shard);
    for (const piece of ofShard) unread.delete(piece);
    const outcomes = await byId(ofShard, (receiptsName) => readOutcomes(store, receiptsName));
    for (const planned of await readJobs(store, name)) {
      const pictures = [planned, ...taken(replanned, planned.id)];
      const job = pictures.at(-1)!;
      const told = [...taken(outcomes, planned.id), ...taken(later, planned.id)];
      checkPictures(pictures, told, store, batch);
      yield { job, outcome: lastWord(job, told), earlier: pictures.slice(0, -1) };
    }
    checkNoneLeft(outcomes, store, name);
  }
  // A plan that is missing as a whole may come back, so it does not count as damaged.
  if (plans.firstRound.length === 0) return;
  for (const { shard } of unread) throw unplanned(store, shardName(batch, 1, shard), 'no such file');
  for (const left of [later, replanned]) checkNoneLeft(left, store, planFolder(batch));
}

function taken<T>(from: Map<string, T[]>, id: string): T[] {
  const found = from.get(id) ?? [];
  from.delete(id);
  return found;
}

/** A plan cut off between two lines parses without an error; receipts show that it had more jobs. */
function checkNoneLeft(left: ReadonlyMap<string, unknown>, store: ObjectStore, name: string): void {
  const [id] = left.keys();
  if (id !== undefined) throw unplanned(store, name, `none of ${quoted(id)}`);
}

/** The same check for a later round's plan, which changes the pictures of rows in the first one. */
function checkPictures(pictures: readonly Job[], told: readonly JobOutcome[], store: ObjectStore, batch: string): void {
  const isPlanned = (key: string): boolean => pictures.some(({ renderKey }) => renderKey === key);
  const other = told.filter(isReceipt).find(({ renderKey }) => !isPlanned(renderKey));
  if (other === undefined) return;
  throw unplanned(store, planFolder(batch), `none of ${quoted(other.id)} with the render key ${other.renderKey}`);
}

const unplanned = (store: ObjectStore, name: string, found: string): DamagedRecord =>
  damaged(planFile(store, name, 'every job that has a receipt'), null, found);

/**
 * The outcome that counts. Shards of a terminated round may write their receipts after the next round has started, so
 * an image of the picture planned last counts whenever it comes.
 *
 * @param told all outcomes of the row, in the order of the rounds
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

/** The pieces in planFolder or receiptsFolder, by round, shard and number. Files that others put there are ignored. */
export async function piecesIn(store: ObjectStore, folder: string): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const { name } of store.list(folder)) {
    const piece = pieceOf(folder, name);
    if (piece !== null) pieces.push(piece);
  }
  // Names sort as text, but round 10 comes after round 9.
  return pieces.sort((a, b) => a.round - b.round || a.shard - b.shard || a.number - b.number);
}

async function readPieces(store: ObjectStore, folder: string, beforeRound: number) {
  const pieces = await piecesIn(store, folder);
  return {
    firstRound: pieces.filter(({ round }) => round === 1),
    laterRounds: pieces.filter(({ round }) => round > 1 && round < beforeRound),
  };
}

const readOutcomes = async (store: ObjectStore, name: string): Promise<JobOutcome[]> =>
  parseJsonLines(await store.read(name), outcomeSchema, {
    store: store.url,
    name,
    holds: 'outcomes of jobs, one a line',
    remedy:
      'Restore the file, or move it out of the folder: its images then count as not rendered, and a retry finds them by their render keys ' +
      'without rendering them again.',
  });
