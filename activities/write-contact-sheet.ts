import { isReceipt } from '../domain/receipt.ts';
import { MAX_SHEET_IMAGES, makeContactSheet, type SheetImage } from '../images/index.ts';
import { contactSheetName } from '../records/layout.ts';
import { batchOutcomes } from '../records/plan-and-receipts.ts';
import { type ObjectStore, type OpenStore, writeOrBeside } from '../store/index.ts';
import type { WriteContactSheetInput } from '../workflows/contract/activities.ts';

/**
 * The activity that puts the batch's first images, in the plan's order, onto one sheet. It returns the object's name, or
 * `null` where there is no image.
 */
export function createWriteContactSheet(openStore: OpenStore) {
  return async function writeContactSheet({
    store: url,
    batch,
    total,
  }: WriteContactSheetInput): Promise<string | null> {
    const store = await openStore(url);
    const images = await firstImages(store, batch);
    if (images.length === 0) return null;
    const sheet = await makeContactSheet({ title: batch, images, total });
    return writeOrBeside(store, contactSheetName(batch), sheet, 'image/webp');
  };
}

async function firstImages(store: ObjectStore, batch: string): Promise<SheetImage[]> {
  const images: SheetImage[] = [];
  for await (const { job, outcome } of batchOutcomes(store, batch)) {
    if (isReceipt(outcome)) images.push({ caption: job.prompt, read: () => store.read(outcome.copy) });
    if (images.length === MAX_SHEET_IMAGES) break;
  }
  return images;
}
