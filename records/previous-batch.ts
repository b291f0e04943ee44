import { z } from 'zod';
import { Turns } from '../domain/turns.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { findBatchRows } from './batch-rows.ts';
import { CatalogChanges } from './catalog-changes.ts';
import { orWarn, parseRecord, type RecordFile, type Warn } from './damaged.ts';
import { CATALOGS_FOLDER, isBatchId, latestBatchName } from './layout.ts';
import type { ManifestRow } from './manifest-table.ts';

const schema = z.object({ catalog: z.string(), batch: z.string().refine(isBatchId) });

/** Notes that a batch of the catalog at a URL has ended. If two end at once, either may count as the last. */
export async function keepLatestBatch(store: ObjectStore, catalog: string, batch: string): Promise<void> {
  const text = `${JSON.stringify({ catalog, batch } satisfies z.infer<typeof schema>)}\n`;
  await store.replace(latestBatchName(catalog), Buffer.from(text), 'application/json');
}

/**
 * Prepares to compare jobs with those of the catalog's last batch. `null` if there is none, or its records cannot be
 * read, perhaps because another version wrote them: a batch must not fail for lack of a comparison.
 *
 * @param warn receives the reason if nothing is compared
 * @param but a batch to ignore: the one being planned, which may have ended before
 */
export async function changesSince(
  store: ObjectStore,
  catalog: string,
  warn: Warn,
  but?: string,
): Promise<CatalogChanges | null> {
  return orWarn(warn, 'changes since the last batch of the catalog are unknown', async () => {
    const last = await latestBatch(store, catalog);
    if (last === null || last === but) return null;
    const rows = await findBatchRows(store, last);
    return rows && new CatalogChanges(last, await byId(rows));
  });
}

async function byId(rows: readonly ManifestRow[]): Promise<Map<string, ManifestRow>> {
  const turns = new Turns();
  const found = new Map<string, ManifestRow>();
  for (const row of rows) {
    found.set(row.id, row);
    await turns.after(1);
  }
  return found;
}

/** The notes about catalogs whose last batch is this one: their object names and the catalogs' URLs. */
export async function* catalogsOf(
  store: ObjectStore,
  batch: string,
): AsyncGenerator<{ name: string; catalog: string }> {
  for await (const { name } of store.list(CATALOGS_FOLDER)) {
    const found = await orWarn(
      () => {},
      '',
      async () => parseRecord(await store.read(name), schema, fileOf(store, name)),
    );
    if (found?.batch === batch && name === latestBatchName(found.catalog)) yield { name, catalog: found.catalog };
  }
}

async function latestBatch(store: ObjectStore, catalog: string): Promise<string | null> {
  const name = latestBatchName(catalog);
  const bytes = await readIfThere(store, name);
  return bytes && parseRecord(bytes, schema, fileOf(store, name)).batch;
}

const fileOf = ({ url }: ObjectStore, name: string): RecordFile => ({
  store: url,
  name,
  holds: 'which batch of a catalog ended last',
  remedy: 'The next batch of that catalog to end rewrites it.',
});
