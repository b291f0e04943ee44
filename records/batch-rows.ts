import type { Metadata } from '../domain/metadata.ts';
import { keysOf } from '../domain/parameters.ts';
import { isReceipt } from '../domain/receipt.ts';
import { UserError } from '../domain/user-error.ts';
import { type ObjectStore, readIfThere } from '../store/object-store.ts';
import { shownPlace } from '../store/shown-place.ts';
import { DamagedRecord, damaged, type RecordFile } from './damaged.ts';
import { batchFolder, manifestName } from './layout.ts';
import { findRowCounts, type RowCounts } from './manifest.ts';
import { newestManifest } from './manifest-files.ts';
import { type ManifestRow, readManifestJsonl } from './manifest-table.ts';
import { batchOutcomes } from './plan-and-receipts.ts';

/**
 * The outcome of each of a batch's jobs, from the table written when its last round ended.
 *
 * @throws UserError if the batch has no table, DamagedRecord if it is damaged
 */
export async function readBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[]> {
  const rows = await findBatchRows(store, batch);
  if (rows !== null) return rows;
  await checkIsThere(store, batch);
  throw new UserError(
    `batch ${batch}: expected ${manifestName(batch, 'jsonl')} in ${shownPlace(store.url)}, found none. It is written at the end of a batch that ` +
      'could be planned. Check --store, or, if the batch has ended without it, write it with "retry"',
  );
}

/** @throws UserError if the store has nothing of the batch, as when its id is mistyped */
async function checkIsThere(store: ObjectStore, batch: string): Promise<void> {
  for await (const _ of store.list(batchFolder(batch))) return;
  throw new UserError(
    `batch ${batch}: expected a batch of that name in ${shownPlace(store.url)}, found none. Check --store; "npx pixart-batch list" ` +
      'shows the batches that a server knows',
  );
}

/** Like readBatchRows, but returns `null` if the batch has no table. @throws DamagedRecord */
export async function findBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[] | null> {
  const files = await newestManifest(store, batch);
  const file: RecordFile = {
    store: store.url,
    name: files.jsonl,
    holds: 'rows of the table as this or an earlier version writes them, one a line',
    remedy:
      'Restore the file from its twin (manifest.jsonl is a copy of the newest manifest-<round>.jsonl), a backup or an earlier version of the ' +
      'object; or run "retry", which writes a new one even if no image is missing.',
  };
  const table = await readIfThere(store, files.jsonl);
  const expected = await findRowCounts(store, files.json);
  if (table === null && expected === null) return null;
  const rows = table === null ? [] : await readManifestJsonl(table, file);
  if (expected !== null) checkCounts(rows, expected, file);
  return rows;
}

/**
 * A table cut off between two lines parses without an error.
 *
 * @throws DamagedRecord if it has fewer or more rows than the manifest counts
 */
function checkCounts(rows: readonly ManifestRow[], expected: RowCounts, file: RecordFile): void {
  for (const status of keysOf(expected)) {
    const found = rows.filter((row) => row.status === status).length;
    if (found === expected[status]) continue;
    throw damaged({ ...file, holds: `${expected[status]} ${status} images, as its manifest has` }, null, `${found}`);
  }
}

/** Whether the batch's table has that many rows and all of them are whole. */
export async function hasWholeTable(store: ObjectStore, batch: string, rows: number): Promise<boolean> {
  try {
    return (await findBatchRows(store, batch))?.length === rows;
  } catch (error) {
    if (error instanceof DamagedRecord) return false;
    throw error;
  }
}

/** One row of a batch, from its plan and receipts: the keys of the picture planned last and of the first one. */
export type BatchRow = { id: string; renderKey: string; firstKey: string; hasImage: boolean; metadata: Metadata };

/** Every row of a planned batch, even one without a manifest. */
export async function plannedRows(store: ObjectStore, batch: string): Promise<BatchRow[]> {
  const rows: BatchRow[] = [];
  for await (const { job, outcome, earlier } of batchOutcomes(store, batch)) {
    const { renderKey: firstKey } = earlier[0] ?? job;
    const { id, renderKey, metadata } = job;
    rows.push({ id, renderKey, firstKey, hasImage: isReceipt(outcome), metadata });
  }
  return rows;
}
