/**
 * Everything that the command line does with batches, for programs. Connect a client once and pass it to every call. Errors
 * that the user has to fix are thrown as `UserError`.
 *
 * @example
 * ```js
 * import { batchEnd, bundleRef, chosenBundle, connect, submitBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * const bundle = bundleRef(await chosenBundle('pixart-icons'));
 * const { batch } = await submitBatch(client, { catalog: 'catalog.csv', store: 'out', bundle });
 * const end = await batchEnd(client, batch);
 * console.log(end.state === 'completed' ? end.result.totals : end);
 * await client.close();
 * ```
 *
 * @module
 */

export type { PromptChange, PromptNotes } from '../catalog/notes/prompt-notes.ts';
export type { RowsFound } from '../catalog/notes/rows-found.ts';
export { CatalogError, type Problem } from '../catalog/problems.ts';
export { type ColumnHint, columnHints, columnHintText } from '../catalog/reading/foreign-columns.ts';
export type { ReadAs } from '../catalog/reading/read-as.ts';
export type { PlanSummary } from '../catalog/summary.ts';
export { type TemporalTarget, temporalTarget } from '../connection/temporal-target.ts';
export type { AtMost } from '../domain/at-most.ts';
export type { BundleRef } from '../domain/bundle-ref.ts';
export type { CatalogFormat } from '../domain/catalog-settings.ts';
export type { ChangeCounts } from '../domain/change-counts.ts';
export type { ImageFormat } from '../domain/image-format.ts';
export type { Totals } from '../domain/receipt.ts';
export type { RowFilter } from '../domain/row-filter.ts';
export type { Size } from '../domain/size.ts';
export { ServerUnreachable, UserError } from '../domain/user-error.ts';
export { KeyMissing, type Keyring, keyringOf } from '../encryption/keyring.ts';
export { readKeyring } from '../encryption/read-keyring.ts';
export { type Bundle, bundleRef } from '../models/pixart/bundle.ts';
export { chosenBundle } from '../models/pixart/chosen-bundle.ts';
export type { AuditEntry, AuditQuery } from '../records/audit-trail.ts';
export { LimitReached, type LimitUse } from '../records/limits.ts';
export type { Preview } from '../records/preview.ts';
export { StoreDenied, StoreUnavailable } from '../store/index.ts';
export type { BatchResult, FailureBudget, Team } from '../workflows/contract/batch.ts';
export type { ControlChange } from '../workflows/contract/control.ts';
export { MAX_WINDOW } from '../workflows/contract/limits.ts';
export type { BatchProgress, BatchState, SizeProgress } from '../workflows/contract/progress.ts';
export { doneOf } from '../workflows/contract/shard-report.ts';
export { versionText, type WorkflowVersion } from '../workflows/contract/versions.ts';
export { readAudit } from './audit.ts';
export { type BatchListing, BatchUnknown, describeBatch, listBatches } from './batches.ts';
export type { ScheduleChange } from './changed-schedule.ts';
export { type CleanRequest, type CleanResult, cleanStore } from './clean.ts';
export type { ClockChange } from './clock-changes.ts';
export { type BatchClient, connect } from './connect.ts';
export { cancelBatch, controlBatch } from './control.ts';
export {
  backfillSchedule,
  deleteSchedule,
  type PausedSchedule,
  pauseSchedule,
  type ResumedSchedule,
  resumeSchedule,
  type TriggeredSchedule,
  triggerSchedule,
} from './control-schedule.ts';
export { type CreatedSchedule, createSchedule, type ScheduleRequest, scheduledCatalog } from './create-schedule.ts';
export { describeSchedule, type ScheduleDetails, type ScheduleRun } from './describe-schedule.ts';
export { type BatchExport, type ExportRequest, exportBatch } from './export.ts';
export { type ForgetRequest, type Forgotten, forget } from './forget.ts';
export { type PictureInHand, picturesInHand } from './in-hand.ts';
export { type KeptBatch, keptBatch } from './kept-batch.ts';
export type { ChangedSetting, SettingValue } from './kept-schedule.ts';
export type { LimitsToday } from './limits.ts';
export { listSchedules, type ScheduleListing } from './list-schedules.ts';
export { canTell, type WaitingMessage, waitingMessages } from './messages.ts';
export { lackOfCurrent, type OrchestratorsSeen, orchestratorsSeen } from './orchestrators.ts';
export { type BatchPlan, type PlanRequest, planBatch } from './plan.ts';
export { batchProgress, NoOrchestrator } from './progress.ts';
export { type BatchRequest, newBatchId } from './request.ts';
export type { CheckedCatalog, OnRead } from './requested-catalog.ts';
export { type Retried, type RetryRequest, retryBatch } from './retry.ts';
export { type Retrying, retrying } from './retrying.ts';
export { exportSchedules, type ImportedSchedule, importSchedules, type SavedSchedule } from './saved-schedules.ts';
export type { ScheduleForecast } from './schedule-forecast.ts';
export { type ScheduleTimes, type TimesChange, WEEKDAYS, type Weekday } from './schedule-times.ts';
export type { CatalogTrouble, ScheduledCatalog } from './scheduled-catalog.ts';
export { OVERLAPS, type Overlap } from './schedules.ts';
export { serverTrouble } from './server-trouble.ts';
export { BatchExists, type ProposedBatch, type SubmittedBatch, submitBatch } from './submit.ts';
export { type UpdatedSchedule, updateSchedule } from './update-schedule.ts';
export { type Difference, type RepairedImage, type Verification, type VerifyRequest, verifyBatch } from './verify.ts';
export {
  type BatchEnd,
  batchEnd,
  isReviewPageMade,
  reviewPage,
  reviewPageEnd,
  type WatchedProgress,
  type WatchOptions,
  watchBatch,
} from './watch.ts';
export { type WorkersSeen, workersSeen } from './workers.ts';
