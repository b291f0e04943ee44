import { z } from 'zod';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { findBatchRows } from './batch-rows.ts';
import { CatalogChanges } from './catalog-changes.ts';
import { isBatchId, latestBatchName } from './layout.ts';

const schema = z.object({ catalog: z.string(), batch: z.string().refine(isBatchId) });

/** Notes that a batch of the catalog at a URL has ended. Of two that end at once either may be the last. */
export async function keepLatestBatch(store: ObjectStore, catalog: string, batch: string): Promise<void> {
  const text = `${JSON.stringify({ catalog, batch } satisfies z.infer<typeof schema>)}\n`;
  await store.replace(latestBatchName(catalog), Buffer.from(text), 'application/json');
}

/**
 * Ready to compare jobs with those of the catalog's last batch; `null` where it has none, or what it left cannot be read, perhaps
 * because another version wrote it: a night must not fail for want of a comparison.
 *
 * @param but not this batch, which may have ended before and be planned again
 */
export async function changesSince(store: ObjectStore, catalog: string, but?: string): Promise<CatalogChanges | null> {
  const last = await orNull(latestBatch(store, catalog));
  if (last === null || last === but) return null;
  const rows = await orNull(findBatchRows(store, last));
  return rows && new CatalogChanges(last, rows);
}

async function latestBatch(store: ObjectStore, catalog: string): Promise<string | null> {
  const bytes = await readIfThere(store, latestBatchName(catalog));
  return bytes && schema.parse(JSON.parse(Buffer.from(bytes).toString('utf8'))).batch;
}

async function orNull<T>(reading: Promise<T | null>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError) return null;
    throw error;
  }
}
