export { ServerUnreachable } from './batch-handle.ts';
export { batchProgress, NoOrchestrator } from './batch-progress.ts';
export type { BatchRequest } from './batch-request.ts';
export { cancelBatch } from './cancel-batch.ts';
export { type BatchClient, connect } from './connect.ts';
export { controlBatch } from './control-batch.ts';
export { type BatchListing, describeBatch, listBatches } from './list-batches.ts';
export { type MovedSchedule, moveSchedules, unfinishedBefore } from './move-schedules.ts';
export { type Preview, PreviewBuilder } from './preview.ts';
export { type Retried, retryBatch } from './retry-batch.ts';
export { type RetryRequest, someOf } from './retry-revisions.ts';
export { type Retrying, retrying } from './retrying.ts';
export { isSheetPageMade, sheetPageEnd } from './review-page.ts';
export {
  backfillSchedule,
  deleteSchedule,
  describeSchedule,
  pauseSchedule,
  resumeSchedule,
  type ScheduleDetails,
  triggerSchedule,
} from './schedule-control.ts';
export {
  createSchedule,
  listSchedules,
  OVERLAPS,
  type Overlap,
  type ScheduleListing,
  type ScheduleRequest,
  type ScheduleTimes,
  WEEKDAYS,
  type Weekday,
} from './schedules.ts';
export { BatchExists, type Inspection, type SubmittedBatch, submitBatch } from './submit-batch.ts';
export { type TemporalTarget, temporalTarget } from './temporal-target.ts';
export { type BatchEnd, batchEnd, watchBatch } from './watch-batch.ts';
