import { matches, type RowFilter } from '../domain/row-filter.ts';
import type { ObjectStore } from '../store/index.ts';
import { pieceOf, planFolder } from './layout.ts';
import { readJobs } from './plan-and-receipts.ts';

/** How many rows of a round's plan match a filter. @throws ObjectNotFound or DamagedRecord */
export async function countMatching(
  store: ObjectStore,
  batch: string,
  round: number,
  filter: RowFilter,
): Promise<number> {
  const folder = planFolder(batch);
  let found = 0;
  for await (const { name } of store.list(folder)) {
    if (pieceOf(folder, name)?.round !== round) continue;
    for (const job of await readJobs(store, name)) if (matches(job, filter)) found += 1;
  }
  return found;
}
