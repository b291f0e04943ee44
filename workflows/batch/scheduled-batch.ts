import { ChildWorkflowCancellationType, executeChild, ParentClosePolicy, workflowInfo } from '@temporalio/workflow';
import { batchIdAt } from '../../domain/batch-id.ts';
import type { BatchResult, ScheduledBatchInput } from '../contract/batch.ts';
import { batchStart } from '../contract/batch-start.ts';
import type { Workflows } from '../contract/workflows.ts';

/**
 * What a schedule starts. It gives the batch an id with the scheduled time, so that its folder, workflow and listing
 * are named like any other batch's, and it ends with the batch, so that the schedule's overlap policy applies.
 */
export async function scheduledBatch(input: ScheduledBatchInput): Promise<BatchResult> {
  const batch = batchIdAt(input.schedule, dueTime());
  return executeChild<Workflows['renderBatch']>('renderBatch', {
    ...batchStart({ ...input, batch, round: 1 }),
    cancellationType: ChildWorkflowCancellationType.WAIT_CANCELLATION_COMPLETED,
    parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
  });
}

/** Temporal records the scheduled time of every run that a schedule starts; a run started by hand only has its start time. */
function dueTime(): Date {
  const due = workflowInfo().searchAttributes.TemporalScheduledStartTime?.[0];
  return due instanceof Date ? due : workflowInfo().startTime;
}
