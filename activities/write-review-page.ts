import { batchOutcomes } from '../records/plan-and-receipts.ts';
import { writePage } from '../review-page/index.ts';
import type { OpenStore } from '../store/index.ts';
import type { WriteSheetPageInput } from '../workflows/contract/activities.ts';

/** The activity that writes the page to review a batch with; it returns the object's name. */
export function createWriteReviewPage(openStore: OpenStore) {
  return async function writeSheetPage({ store: url, batch }: WriteSheetPageInput): Promise<string> {
    const store = await openStore(url);
    return (await writePage(store, batch, batchOutcomes(store, batch))).page;
  };
}
