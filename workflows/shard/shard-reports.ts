import { getExternalWorkflowHandle, isCancellation, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { extraComputations, type JobOutcome } from '../../domain/receipt.ts';
import { RECENT_FAILURES, REPORT_EVERY_SECONDS, REPORTS_PER_SHARD } from '../contract/limits.ts';
import type { ShardReport } from '../contract/progress.ts';
import { doneOf } from '../contract/shard-report.ts';
import { shardReportSignal } from '../messages.ts';
import { shardDetails } from '../temporal-ui.ts';

/**
 * Counts outcomes and reports them to the batch: a few times per shard, sooner if images are slow or fail, never two
 * signals at once.
 */
export class ShardReports {
  current: ShardReport;
  readonly #jobs: number;
  readonly #inTime: boolean;
  readonly #every: number;
  #sent = 0;
  #sentAt = Date.now();
  #sentFailed = 0;
  #failureReports = 0;
  #sending: Promise<void> | null = null;

  /**
   * The options exist for histories that earlier versions started: first reports went by count alone, later after each
   * tenth of any shard.
   */
  constructor(shard: number, jobs: number, { inTime, atLeast }: { inTime: boolean; atLeast: number }) {
    this.#jobs = jobs;
    this.#inTime = inTime;
    this.#every = Math.max(jobs / REPORTS_PER_SHARD, atLeast);
    this.current = { shard, rendered: 0, reused: 0, failed: 0, extraComputations: 0, recentFailures: [] };
  }

  add(outcome: JobOutcome): void {
    this.current = counted(this.current, outcome);
    setCurrentDetails(shardDetails(this.current, this.#jobs));
    const done = doneOf(this.current);
    // The last outcome needs no signal: the shard is about to return.
    if (done >= this.#jobs) return;
    if (done - this.#sent >= this.#every || this.#isLate()) this.#send();
  }

  /**
   * The first failure is reported immediately; each further one waits longer, so that a night of failures keeps a short
   * history.
   */
  #isLate(): boolean {
    if (!this.#inTime) return false;
    const wait = this.current.failed > this.#sentFailed ? this.#failureReports : REPORT_EVERY_SECONDS;
    return Date.now() - this.#sentAt >= 1_000 * Math.min(wait, REPORT_EVERY_SECONDS);
  }

  /** Waits for signals being sent. A shard that will not return its counts sends them. */
  async settle(sendAll: boolean): Promise<void> {
    while (this.#sending !== null) await this.#sending;
    if (sendAll && doneOf(this.current) > this.#sent) await this.#send();
  }

  #send(): Promise<void> {
    this.#sending ??= this.#signalBatch().finally(() => {
      this.#sending = null;
      // A failure may have come in the meantime.
      const done = doneOf(this.current);
      if (done > this.#sent && done < this.#jobs && this.#isLate()) this.#send();
    });
    return this.#sending;
  }

  async #signalBatch(): Promise<void> {
    const batch = workflowInfo().parent;
    if (batch === undefined) return;
    this.#sent = doneOf(this.current);
    this.#sentAt = Date.now();
    if (this.current.failed > this.#sentFailed) this.#failureReports += 1;
    this.#sentFailed = this.current.failed;
    try {
      await getExternalWorkflowHandle(batch.workflowId).signal(shardReportSignal, this.current);
    } catch (error) {
      // A terminated batch cannot be signalled; the receipts matter more. `settle` repeats a cancelled signal.
      if (isCancellation(error)) this.#sent = 0;
    }
  }
}

function counted(report: ShardReport, outcome: JobOutcome): ShardReport {
  if ('reason' in outcome) {
    const recentFailures = [{ id: outcome.id, reason: outcome.reason }, ...report.recentFailures];
    return { ...report, failed: report.failed + 1, recentFailures: recentFailures.slice(0, RECENT_FAILURES) };
  }
  return {
    ...report,
    [outcome.outcome]: report[outcome.outcome] + 1,
    extraComputations: report.extraComputations + extraComputations(outcome),
  };
}
