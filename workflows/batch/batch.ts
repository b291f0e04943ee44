import { CancellationScope, type ChildWorkflowHandle, workflowInfo } from '@temporalio/workflow';
import { SIZES, type Size } from '../../domain/size.ts';
import type { WrittenManifest } from '../contract/activities.ts';
import type { BatchInput } from '../contract/batch.ts';
import type { BatchControl, ControlChange, ShardControl } from '../contract/control.ts';
import type { LostShard, Plan, ShardRef } from '../contract/plan.ts';
import type { BatchAnswer, BatchProgress, BatchState, ShardReport } from '../contract/progress.ts';
import { shardWorkflowId } from '../contract/queues.ts';
import type { Workflows } from '../contract/workflows.ts';
import { announce } from '../webhook/webhook.ts';
import { changed, firstControl, refusal, withinBudget } from './control-rules.ts';
import {
  closeShard,
  emptyLedger,
  enterPlan,
  enterReport,
  enterWarnings,
  type Ledger,
  leaveOut,
  progressOf,
  sumOf,
} from './ledger.ts';
import { RunningShards } from './running-shards.ts';
import { publisher, showWithoutManifest } from './visibility.ts';

/** What a batch passes on when it continues as new. Earlier versions pass on the same. */
export type BatchCarry = {
  startedAt: string;
  /** Shards that no run has started. */
  waiting: ShardRef[];
  lostShards: LostShard[];
  ledger: Ledger;
  /** Missing if an earlier version passed it on. */
  control?: BatchControl;
};

/**
 * A batch during one run of its workflow: its waiting and running shards, its counts, and its control settings. Changes
 * are shown in listings and, if they concern running shards, signalled to them.
 *
 * Commands have an order that replay of existing histories depends on: signal the shards, pause and call the webhook,
 * show.
 */
export class Batch {
  readonly input: BatchInput;
  /** ISO 8601: when the first run started. */
  readonly startedAt: string;
  readonly lostShards: LostShard[];
  readonly #ledger: Ledger;
  readonly #running = new RunningShards();
  readonly #publish = publisher();
  #waiting: ShardRef[];
  #control: BatchControl;

  /** @param carry what the previous run passed on, if this is not the first */
  constructor(input: BatchInput, carry?: BatchCarry) {
    this.input = input;
    this.startedAt = carry?.startedAt ?? workflowInfo().startTime.toISOString();
    this.lostShards = carry?.lostShards ?? [];
    this.#ledger = carry?.ledger ?? emptyLedger();
    this.#waiting = carry?.waiting ?? [];
    this.#control = carry?.control ?? firstControl(input);
  }

  get progress(): BatchProgress {
    return progressOf(this.input, this.#ledger, this.#control);
  }

  /** What its shards have reported, and which of them can be queried for more. */
  get answer(): BatchAnswer {
    const running = this.#running.answering.map((shard) => ({
      shard,
      workflowId: shardWorkflowId(this.input, shard.shard),
      report: this.#ledger.running[shard.shard] ?? null,
    }));
    return { ...this.progress, running };
  }

  get isPaused(): boolean {
    return this.#control.paused !== null;
  }

  /** Shards that have not started, in the plan's order. */
  get waiting(): readonly ShardRef[] {
    return this.#waiting;
  }

  get carry(): BatchCarry {
    return {
      startedAt: this.startedAt,
      waiting: this.#waiting,
      lostShards: this.lostShards,
      ledger: this.#ledger,
      control: this.#control,
    };
  }

  /** Updates the progress in Temporal's UI and listings, if it has changed. */
  show(): void {
    this.#publish(this.progress);
  }

  begin(plan: Plan): void {
    this.#waiting = plan.shards;
    enterPlan(this.#ledger, plan);
    this.show();
  }

  /** Changes how it runs from now on. Call `check` first. */
  change(change: ControlChange): void {
    this.#control = changed(this.#control, change, sumOf(this.#ledger).failed);
    if (change.kind === 'cancel-size') this.#leaveOut(change.size);
    this.#running.tell(this.#control);
    this.show();
  }

  /** @throws Error, for a person, if the change cannot be made */
  check(change: ControlChange): void {
    const { state, bySize, columns } = this.#ledger;
    const sizes = SIZES.filter((size) => bySize[size] !== undefined);
    const isRunning = state === 'planning' || state === 'rendering';
    const reason = isRunning ? refusal(this.#control, { sizes, columns }, change) : `it is ${state}`;
    if (reason !== null) throw new Error(`batch ${this.input.batch}: ${reason}`);
  }

  /** Takes the waiting shards of one size off the list, one by one. */
  *take(size: Size): Generator<ShardRef> {
    for (;;) {
      const next = this.#waiting.findIndex((shard) => shard.size === size);
      if (next < 0) return;
      yield this.#waiting.splice(next, 1)[0]!;
    }
  }

  /** A shard is about to start. @returns its control settings; `undefined` while nobody has changed anything */
  admit(shard: ShardRef): ShardControl | undefined {
    return this.#running.add(shard, this.#control);
  }

  /** A shard has started, and can now be signalled. */
  started(shard: ShardRef, handle: ChildWorkflowHandle<Workflows['renderShard']>): void {
    this.#running.started(shard.shard, handle, this.#control);
  }

  /** A running shard reports its progress. Reports from another run's shards are ignored. */
  reported(report: ShardReport): void {
    const shard = this.#running.find(report.shard);
    if (shard === undefined) return;
    enterReport(this.#ledger, shard, report);
    this.#keepBudget();
    this.show();
  }

  /** Records a shard's end; `release` comes next. */
  completed(shard: ShardRef, report: ShardReport): void {
    enterReport(this.#ledger, shard, report);
    closeShard(this.#ledger, shard, 'completed');
  }

  /** Records a cancelled shard's end. It is not queried any more, although it would answer: its jobs would be counted twice. */
  cancelled(shard: ShardRef): void {
    closeShard(this.#ledger, shard, 'cancelled');
    this.#running.ended(shard.shard);
  }

  /** Records that a shard was terminated or failed as a whole; `release` comes next. */
  lost(shard: ShardRef, reason: string): void {
    this.lostShards.push({ shard: shard.shard, reason });
    closeShard(this.#ledger, shard, { lost: reason });
  }

  /**
   * A shard has completed or is lost: the others share its part of the window. Separate, since histories have a step in
   * between.
   */
  release(shard: ShardRef): void {
    this.#running.remove(shard.shard, this.#control);
    this.#keepBudget();
    this.show();
  }

  /** A person has cancelled it; it shows that until its end. */
  stop(): void {
    this.#ledger.state = 'stopping';
    this.show();
  }

  /** Nothing is running any more, and nothing will start. */
  finish(): void {
    leaveOut(this.#ledger, this.#waiting);
    if (this.#ledger.state !== 'stopping') this.#ledger.state = 'finishing';
    this.show();
  }

  /** Its manifest is written. */
  recorded({ manifest, warnings }: WrittenManifest): void {
    this.#ledger.manifest = manifest;
    enterWarnings(this.#ledger, warnings);
  }

  end(state: BatchState): void {
    this.#ledger.state = state;
    this.show();
  }

  /** It ends, and only the receipts of its shards record its rows' outcomes. */
  endWithoutManifest(reason: string, state: BatchState = this.#ledger.state): void {
    this.#ledger.withoutManifest = reason;
    showWithoutManifest(reason);
    this.end(state);
  }

  /** Shards of a cancelled size that have not started never do. */
  #leaveOut(size: Size): void {
    leaveOut(
      this.#ledger,
      this.#waiting.filter((shard) => shard.size === size),
    );
    this.#waiting = this.#waiting.filter((shard) => shard.size !== size);
  }

  /** Pauses the batch if too many of its jobs fail. */
  #keepBudget(): void {
    const { jobs, failed } = sumOf(this.#ledger);
    const control = withinBudget(this.#control, jobs, failed);
    if (control === this.#control) return;
    this.#control = control;
    this.#running.tell(control);
    // A cancelled batch reports its failures at its end, which is soon.
    if (CancellationScope.current().consideredCancelled) return;
    void announce(this.input, 'batch.paused', { reason: control.paused ?? '' }, control.version);
  }
}
