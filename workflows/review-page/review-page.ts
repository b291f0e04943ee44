import { ChildWorkflowCancellationType, ParentClosePolicy, startChild, workflowInfo } from '@temporalio/workflow';
import type { WriteSheetPageInput } from '../contract/activities.ts';
import type { BatchInput } from '../contract/batch.ts';
import { pageWorkflowId } from '../contract/queues.ts';
import { writeSheetPage } from '../orchestrator.ts';

/** Creates a batch's review page, with a thumbnail of every image. Returns the page's object name. */
export const makeSheetPage = (input: WriteSheetPageInput): Promise<string> => writeSheetPage(input);

/** Creates the page in a separate workflow, because the batch ends before it is done. Returns that workflow's id. */
export async function startReviewPage({ store, batch, round }: BatchInput): Promise<string> {
  const workflowId = pageWorkflowId({ batch, round }, workflowInfo().firstExecutionRunId);
  await startChild<typeof makeSheetPage>('makeSheetPage', {
    workflowId,
    args: [{ store, batch }],
    staticSummary: 'Creates the review page',
    cancellationType: ChildWorkflowCancellationType.ABANDON,
    parentClosePolicy: ParentClosePolicy.ABANDON,
  });
  return workflowId;
}
