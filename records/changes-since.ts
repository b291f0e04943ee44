import { z } from 'zod';
import type { ObjectStore } from '../store/object-store.ts';
import { findBatchRows } from './batch-rows.ts';
import { CatalogChanges } from './catalog-changes.ts';
import { latestBatch } from './latest-batch.ts';

/**
 * Ready to compare jobs with those of the catalog's last batch; `null` where it has none, or its table is gone or of another
 * version: a night must not fail for want of a comparison.
 *
 * @param but not this batch, which may have ended before and be planned again
 */
export async function changesSince(store: ObjectStore, catalog: string, but?: string): Promise<CatalogChanges | null> {
  const last = await latestBatch(store, catalog);
  if (last === null || last === but) return null;
  const rows = await findBatchRows(store, last).catch((error: unknown) => {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
    throw error;
  });
  return rows && new CatalogChanges(last, rows);
}
