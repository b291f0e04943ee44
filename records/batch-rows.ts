import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, readIfThere } from '../store/object-store.ts';
import type { RecordFile } from './damaged.ts';
import { manifestTableName } from './layout.ts';
import { type ManifestRow, readManifestJsonl } from './manifest-table.ts';

/**
 * What became of each of a batch's jobs, from the table that it wrote when it ended.
 *
 * @throws UserError where the batch has no table, DamagedRecord where it is damaged
 */
export async function readBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[]> {
  const rows = await findBatchRows(store, batch);
  if (rows !== null) return rows;
  throw new UserError(
    `batch ${batch}: expected ${manifestTableName(batch, 'jsonl')} in ${store.url}, found none; it is written at the end of a batch that could be planned ` +
      '(--store says where batches are)',
  );
}

/** As readBatchRows; `null` where the batch has no table. @throws DamagedRecord */
export async function findBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[] | null> {
  const name = manifestTableName(batch, 'jsonl');
  const file: RecordFile = {
    store: store.url,
    name,
    holds: 'rows of the table as this version or an earlier one writes them, one a line',
    remedy:
      'Restore the file, from a backup or as an earlier version of the object; the next round of the batch writes it anew. manifest.json ' +
      'has the same images and failures.',
  };
  const table = await readIfThere(store, name);
  return table && readManifestJsonl(table, file);
}
