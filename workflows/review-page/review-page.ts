import { ChildWorkflowCancellationType, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { WriteSheetPageInput } from '../contract/activities.ts';
import type { BatchInput } from '../contract/batch.ts';
import { pageWorkflowId } from '../contract/queues.ts';
import { writeSheetPage } from '../orchestrator.ts';

/** Makes the page to review a batch with, of as many thumbnails as the batch has images. Returns the object's name. */
export const makeSheetPage = (input: WriteSheetPageInput): Promise<string> => writeSheetPage(input);

/** Has the page made by a workflow of its own, because the batch has ended before it is there. Returns that one's id. */
export async function startReviewPage({ store, batch, round }: BatchInput): Promise<string> {
  const workflowId = pageWorkflowId({ batch, round }, workflowInfo().firstExecutionRunId);
  await startChild<typeof makeSheetPage>('makeSheetPage', {
    workflowId,
    args: [{ store, batch }],
    staticSummary: 'Makes the page to review the images with',
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
  return workflowId;
}
