import { z } from 'zod';
import { type Job, jobSchema } from '../catalog/job.ts';
import { type Failure, failureSchema, isReceipt, type Receipt, receiptSchema } from '../catalog/receipt.ts';
import { type ObjectStore, planFolder, receiptsFolder, shardReceiptsName } from '../store/index.ts';

/** What became of one job: a receipt, or a failure. */
export type Outcome = Receipt | Failure;

const outcomeSchema = z.union([receiptSchema, failureSchema]);

const toLines = (values: unknown[]): Uint8Array =>
  Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));

export const encodeJobs = (jobs: Job[]): Uint8Array => toLines(jobs);

export const encodeOutcomes = (outcomes: Outcome[]): Uint8Array => toLines(outcomes);

/** The jobs of one plan shard, in its order. @throws ObjectNotFound */
export const readJobs = (store: ObjectStore, name: string): Promise<Job[]> => readLines(store, name, jobSchema);

/**
 * Every job of the batch in the first plan's order, with its receipt where any round rendered it, the last one's where several did, else
 * the last round's failure; `undefined` for a job that no round came to. A later round may have planned a row otherwise: the job is
 * then the one whose image there is, or the one that was planned last.
 */
export async function* batchOutcomes(
  store: ObjectStore,
  batch: string,
): AsyncGenerator<{ job: Job; outcome: Outcome | undefined }> {
  // A night's retries are few; only the first round is too large to be kept in memory whole.
  const receiptNames = await readPieces(store, receiptsFolder(batch));
  const planNames = await readPieces(store, planFolder(batch));
  const later = new Map<string, Outcome>();
  for (const name of receiptNames.laterRounds) {
    for (const outcome of await readLines(store, name, outcomeSchema)) {
      later.set(outcome.id, best(outcome, later.get(outcome.id))!);
    }
  }
  const replanned = new Map<string, Job[]>();
  for (const name of planNames.laterRounds) {
    for (const job of await readJobs(store, name)) replanned.set(job.id, [...(replanned.get(job.id) ?? []), job]);
  }
  for (const name of planNames.firstRound) {
    const receipts = shardReceiptsName(batch, 1, pieceOf(name).shard);
    const first = receiptNames.firstRound.has(receipts) ? await readLines(store, receipts, outcomeSchema) : [];
    const outcomes = new Map(first.map((outcome) => [outcome.id, outcome]));
    for (const planned of await readJobs(store, name)) {
      const outcome = best(later.get(planned.id), outcomes.get(planned.id));
      yield { job: jobOf(outcome, [planned, ...(replanned.get(planned.id) ?? [])]), outcome };
    }
  }
}

/** @param plans what the rounds planned for one row, in their order */
const jobOf = (outcome: Outcome | undefined, plans: Job[]): Job =>
  plans.findLast((job) => !isReceipt(outcome) || job.renderKey === outcome.renderKey) ?? plans.at(-1)!;

/** Shards of a round that was terminated write their receipts when the next round may have begun: an image is the last word. */
const best = (later: Outcome | undefined, earlier: Outcome | undefined): Outcome | undefined =>
  isReceipt(earlier) && !isReceipt(later) ? earlier : (later ?? earlier);

/** Names of the pieces in a folder, those of later rounds in the rounds' order. */
async function readPieces(store: ObjectStore, folder: string) {
  const firstRound = new Set<string>();
  const laterRounds: string[] = [];
  for await (const { name } of store.list(folder)) {
    if (pieceOf(name).round === 1) firstRound.add(name);
    else laterRounds.push(name);
  }
  // Names sort as text, and round 10 comes after round 9.
  laterRounds.sort((a, b) => pieceOf(a).round - pieceOf(b).round);
  return { firstRound, laterRounds };
}

function pieceOf(name: string): { round: number; shard: number } {
  const found = /(\d+)-(\d+)\.jsonl$/.exec(name);
  if (found === null) throw new Error(`${name}: expected an object called <round>-<shard>.jsonl`);
  return { round: Number(found[1]), shard: Number(found[2]) };
}

async function readLines<T>(store: ObjectStore, name: string, schema: z.ZodType<T>): Promise<T[]> {
  const text = Buffer.from(await store.read(name)).toString('utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => schema.parse(JSON.parse(line)));
}
