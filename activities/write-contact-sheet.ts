import { batchOutcomes } from '../records/plan-and-receipts.ts';
import { writeContactSheet } from '../review-page/index.ts';
import type { OpenStore } from '../store/index.ts';
import type { WriteContactSheetInput } from '../workflows/contract/activities.ts';

/**
 * The activity that puts the batch's first images, in the plan's order, onto one sheet. It returns the object's name, or
 * `null` where there is no image.
 */
export function createWriteContactSheet(openStore: OpenStore) {
  return async function contactSheet({ store: url, batch, total }: WriteContactSheetInput): Promise<string | null> {
    const store = await openStore(url);
    return writeContactSheet(store, batch, total, batchOutcomes(store, batch));
  };
}
