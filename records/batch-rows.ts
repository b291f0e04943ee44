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
 * What became of each of a batch's jobs, from the table that it wrote when its last round ended.
 *
 * @throws UserError where the batch has no table, DamagedRecord where it is damaged
 */
export async function readBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[]> {
  const rows = await findBatchRows(store, batch);
  if (rows !== null) return rows;
  await checkIsThere(store, batch);
  throw new UserError(
    `batch ${batch}: expected ${manifestName(batch, 'jsonl')} in ${shownPlace(store.url)}, found none; it is written at the end of a batch that could be planned ` +
      '(--store says where batches are). Where a batch has ended without it, retry writes it',
  );
}

/** @throws UserError where the store has nothing of a batch, as where its id is mistyped */
async function checkIsThere(store: ObjectStore, batch: string): Promise<void> {
  for await (const _ of store.list(batchFolder(batch))) return;
  throw new UserError(
    `batch ${batch}: expected a batch of that name in ${shownPlace(store.url)}, found none. "npx pixart-batch list" shows those that a server knows; --store says ` +
      'where batches are',
  );
}

/** As readBatchRows; `null` where the batch has no table. @throws DamagedRecord */
export async function findBatchRows(store: ObjectStore, batch: string): Promise<ManifestRow[] | null> {
  const files = await newestManifest(store, batch);
  const file: RecordFile = {
    store: store.url,
    name: files.jsonl,
    holds: 'rows of the table as this version or an earlier one writes them, one a line',
    remedy:
      'Restore the file, from its twin (manifest.jsonl is a copy of the newest manifest-<round>.jsonl), a backup or an earlier version of the ' +
      'object; or let "retry" write a new one, also where no image is missing.',
  };
  const table = await readIfThere(store, files.jsonl);
  const expected = await findRowCounts(store, files.json);
  if (table === null && expected === null) return null;
  const rows = table === null ? [] : await readManifestJsonl(table, file);
  if (expected !== null) checkCounts(rows, expected, file);
  return rows;
}

/** A table that was cut between two lines reads well. @throws DamagedRecord where it lacks what its manifest counts, or has more */
function checkCounts(rows: readonly ManifestRow[], expected: RowCounts, file: RecordFile): void {
  for (const status of keysOf(expected)) {
    const found = rows.filter((row) => row.status === status).length;
    if (found === expected[status]) continue;
    throw damaged(
      { ...file, holds: `as many ${status} images as its manifest has, ${expected[status]}` },
      null,
      `${found}`,
    );
  }
}

/** Whether the batch's table has so many rows, each of them whole. */
export async function hasWholeTable(store: ObjectStore, batch: string, rows: number): Promise<boolean> {
  try {
    return (await findBatchRows(store, batch))?.length === rows;
  } catch (error) {
    if (error instanceof DamagedRecord) return false;
    throw error;
  }
}

/** One row of a batch, as its plan and receipts tell: the picture that was planned for it last, and the first one. */
export type BatchRow = { id: string; renderKey: string; firstKey: string; hasImage: boolean; metadata: Metadata };

/** Every row of a batch that was planned, also of one that has no manifest. */
export async function plannedRows(store: ObjectStore, batch: string): Promise<BatchRow[]> {
  const rows: BatchRow[] = [];
  for await (const { job, outcome, earlier } of batchOutcomes(store, batch)) {
    const { renderKey: firstKey } = earlier[0] ?? job;
    const { id, renderKey, metadata } = job;
    rows.push({ id, renderKey, firstKey, hasImage: isReceipt(outcome), metadata });
  }
  return rows;
}
