import { copyNameOf } from '../domain/copy-name.ts';
import { columnsOf, type Job } from '../domain/job.ts';
import { matches, type RowFilter } from '../domain/row-filter.ts';
import { objectName, planFolder } from '../records/layout.ts';
import { piecesIn, readJobs } from '../records/plan-and-receipts.ts';
import type { ObjectStore } from '../store/index.ts';

/** What to forget of one batch. */
export type ForgottenRows = {
  batch: string;
  ids: Set<string>;
  /** The names of their pictures' copies in the batch's folder. */
  copies: Set<string>;
  /** How many rows of the batch stay. If none do, nothing of the batch stays. */
  others: number;
  /** Every picture that any round planned for them: the object's name by render key. */
  pictures: Map<string, string>;
  /** Their prompts and negative prompts. */
  texts: Set<string>;
};

export const isWhole = ({ others }: ForgottenRows): boolean => others === 0;

/**
 * The rows of a batch that match any filter in the plan of any round; all rows without a filter.
 *
 * @param onColumn called with every column that a row has
 * @throws DamagedRecord if the plan cannot be read
 */
export async function forgottenRows(
  store: ObjectStore,
  batch: string,
  filters: readonly RowFilter[],
  onColumn: (name: string) => void = () => {},
): Promise<ForgottenRows> {
  const all = new Set<string>();
  const ids = new Set<string>();
  for await (const job of plannedJobs(store, batch)) {
    all.add(job.id);
    for (const name of [...Object.keys(job.metadata), ...Object.keys(columnsOf(job))]) onColumn(name);
    if (filters.length === 0 || filters.some((filter) => matches(job, filter))) ids.add(job.id);
  }
  const pictures = new Map<string, string>();
  const texts = new Set<string>();
  const copies = new Set<string>();
  if (ids.size === 0 && all.size > 0) return { batch, ids, copies, others: all.size, pictures, texts };
  for await (const job of plannedJobs(store, batch)) {
    if (!ids.has(job.id)) continue;
    const { renderKey, format, prompt, negativePrompt } = job;
    copies.add(copyNameOf(job));
    pictures.set(renderKey, objectName(renderKey, format));
    for (const text of [prompt, negativePrompt]) if (text !== '') texts.add(text);
  }
  return { batch, ids, copies, others: all.size - ids.size, pictures, texts };
}

/** The jobs of all rounds' plans. @throws DamagedRecord */
export async function* plannedJobs(store: ObjectStore, batch: string): AsyncGenerator<Job> {
  for (const { name } of await piecesIn(store, planFolder(batch))) yield* await readJobs(store, name);
}
