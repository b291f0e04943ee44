import { type ManifestRow, readManifestJsonl } from '../catalog/manifest-table.ts';
import { UserError } from '../catalog/user-error.ts';
import { manifestTableName, ObjectNotFound, type ObjectStore } from '../store/index.ts';

/**
 * What became of each of a batch's jobs, from the table that it wrote when it ended.
 *
 * @throws UserError where the batch has no table
 */
export async function batchRows(store: ObjectStore, batch: string): Promise<ManifestRow[]> {
  const name = manifestTableName(batch, 'jsonl');
  try {
    return readManifestJsonl(await store.read(name));
  } catch (error) {
    if (!(error instanceof ObjectNotFound)) throw error;
    throw new UserError(
      `batch ${batch}: expected ${name} in ${store.url}, found none; it is written when a batch ends (--store says where batches are)`,
    );
  }
}
