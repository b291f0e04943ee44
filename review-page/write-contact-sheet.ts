import { isReceipt } from '../domain/receipt.ts';
import { MAX_SHEET_IMAGES, makeContactSheet, type SheetImage } from '../images/index.ts';
import { contactSheetName } from '../records/layout.ts';
import type { RowOutcome } from '../records/plan-and-receipts.ts';
import { type ObjectStore, writeOrBeside } from '../store/index.ts';

/**
 * Writes a sheet with a batch's first images, in the order of its catalog.
 *
 * @param total number of the batch's images
 * @returns the object's name; `null` if there is no image
 * @throws ObjectNotFound if one of them is gone
 */
export async function writeContactSheet(
  store: ObjectStore,
  batch: string,
  total: number,
  outcomes: AsyncIterable<RowOutcome>,
): Promise<string | null> {
  const images = await firstImages(store, outcomes);
  if (images.length === 0) return null;
  const sheet = await makeContactSheet({ title: batch, images, total });
  return writeOrBeside(store, contactSheetName(batch), sheet, 'image/webp');
}

async function firstImages(store: ObjectStore, outcomes: AsyncIterable<RowOutcome>): Promise<SheetImage[]> {
  const images: (SheetImage & { line: number })[] = [];
  for await (const { job, outcome } of outcomes) {
    const { id, prompt: caption, line } = job;
    if (isReceipt(outcome)) images.push({ id, caption, line, read: () => store.read(outcome.copy) });
    if (images.length === MAX_SHEET_IMAGES) break;
  }
  // A plan is ordered by size.
  return images.toSorted((a, b) => a.line - b.line);
}
