import { isReceipt } from '../domain/receipt.ts';
import {
  changesName,
  contactSheetPageName,
  manifestPrefix,
  planFolder,
  receiptsFolder,
  sheetFolder,
} from '../records/layout.ts';
import type { ManifestFiles } from '../records/manifest-files.ts';
import { batchOutcomes, piecesIn, type RowOutcome } from '../records/plan-and-receipts.ts';
import { ObjectNotFound, type ObjectStore } from '../store/index.ts';
import type { ForgottenRows } from './forgotten-rows.ts';
import { isForgotten, rewriteChanges, rewriteJsonLines } from './rewrite-lines.ts';
import { rewriteManifest } from './rewrite-manifest.ts';

/** A step of work on one object. */
export type Step = { name: string; run: () => Promise<void> };

/**
 * Rewrites a batch without some of its rows, except for the plan. Everything derived from the plan comes first, so that
 * after a kill the rows can be found again.
 *
 * @param names the names of its sheets and records
 */
export async function* batchRewrites(
  store: ObjectStore,
  { batch, ids }: ForgottenRows,
  names: readonly string[],
  texts: ReadonlySet<string>,
): AsyncGenerator<Step> {
  const sheets = names.filter((name) => name.startsWith(sheetFolder(batch)) || SHEET.test(name));
  if (sheets.length > 0)
    yield { name: contactSheetPageName(batch), run: () => rewriteSheets(store, batch, ids, sheets) };
  for (const files of manifestsIn(batch, names)) {
    yield { name: files.json, run: () => rewriteManifest(store, files, ids) };
  }
  if (names.includes(changesName(batch))) {
    const isGone = isForgotten(ids, texts);
    yield { name: changesName(batch), run: () => rewriteChanges(store, changesName(batch), isGone) };
  }
  for (const { name } of await piecesIn(store, receiptsFolder(batch))) {
    yield { name, run: () => rewriteJsonLines(store, name, ids) };
  }
}

/** The plan's pieces, latest round first: later ones change rows of the first. */
export async function planRewrites(store: ObjectStore, { batch, ids }: ForgottenRows): Promise<Step[]> {
  const pieces = await piecesIn(store, planFolder(batch));
  return pieces.toReversed().map(({ name }) => ({ name, run: () => rewriteJsonLines(store, name, ids) }));
}

const SHEET = /\/contact-sheet(-\d+)?\.(webp|html)$/;

/** The files of each round's manifest and of the newest copy, grouped by the name that they share. */
function manifestsIn(batch: string, names: readonly string[]): ManifestFiles[] {
  const isManifest = (name: string): boolean => name.startsWith(manifestPrefix(batch));
  const stems = new Set(names.filter(isManifest).map((name) => name.replace(/\.[^.]+$/, '')));
  return [...stems].map((stem) => ({ json: `${stem}.json`, jsonl: `${stem}.jsonl`, csv: `${stem}.csv` }));
}

/** @param before the names of the present sheets */
async function rewriteSheets(
  store: ObjectStore,
  batch: string,
  ids: ReadonlySet<string>,
  before: readonly string[],
): Promise<void> {
  // Loaded late, because it loads the image decoder.
  const { writeContactSheet, writePage } = await import('../review-page/index.ts');
  const others = () => without(batchOutcomes(store, batch), ids);
  const { page, loads } = await writePage(store, batch, others());
  const images = await count(others(), ({ outcome }) => isReceipt(outcome));
  const sheet = await writeContactSheet(store, batch, images, others()).catch(unlessGone);
  const written = new Set([page, sheet, ...loads]);
  for (const name of before) if (!written.has(name)) await store.remove(name);
}

/** If another row's picture is missing there is no sheet, as at the end of a batch. */
function unlessGone(error: unknown): null {
  if (error instanceof ObjectNotFound) return null;
  throw error;
}

async function* without(rows: AsyncIterable<RowOutcome>, ids: ReadonlySet<string>): AsyncGenerator<RowOutcome> {
  for await (const row of rows) if (!ids.has(row.job.id)) yield row;
}

async function count<T>(items: AsyncIterable<T>, isCounted: (item: T) => boolean): Promise<number> {
  let counted = 0;
  for await (const item of items) if (isCounted(item)) counted += 1;
  return counted;
}
