import { setCurrentDetails, upsertMemo, upsertSearchAttributes } from '@temporalio/workflow';
import type { BatchMemo } from '../contract/batch.ts';
import type { BatchProgress } from '../contract/progress.ts';
import { PIXART_DONE, PIXART_FAILED, PIXART_TOTAL } from '../contract/search-attributes.ts';
import { batchDetails } from '../temporal-ui.ts';

/** Each step of progress in a listing is an event in the batch's history, so there are fifty, not one for every image. */
const STEPS = 50;

/** Short, because a listing shows one line per batch and reads the memo of each. */
const REASON_SHOWN = 300;

/** Shows in listings that the batch ends without a manifest. */
export function showWithoutManifest(reason: string): void {
  upsertMemo({ withoutManifest: reason.slice(0, REASON_SHOWN) } satisfies Partial<BatchMemo>);
}

/** Returns a function that shows a batch's progress in Temporal's UI and listings, and writes only changes to the history. */
export function publisher(): (progress: BatchProgress) => void {
  let shownState: string | null = null;
  let shownCounts: string | null = null;
  return (progress) => {
    setCurrentDetails(batchDetails(progress));
    if (progress.state !== shownState) upsertMemo({ state: progress.state } satisfies Partial<BatchMemo>);
    const { jobs, rendered, reused, failed } = progress.totals;
    const step = Math.floor((STEPS * (rendered + reused + failed)) / Math.max(1, jobs));
    const counts = `${progress.state} ${jobs} ${step}`;
    if (counts !== shownCounts) {
      upsertSearchAttributes([
        { key: PIXART_TOTAL, value: jobs },
        { key: PIXART_DONE, value: rendered + reused },
        { key: PIXART_FAILED, value: failed },
      ]);
    }
    shownState = progress.state;
    shownCounts = counts;
  };
}
