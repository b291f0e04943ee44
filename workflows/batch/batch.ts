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

/** What a batch hands to its next run when its history has grown long. Runs of earlier versions hand over the same. */
export type BatchCarry = {
  startedAt: string;
  /** Shards that no run has started. */
  waiting: ShardRef[];
  lostShards: LostShard[];
  ledger: Ledger;
  /** Missing in what an earlier version handed over. */
  control?: BatchControl;
};

/**
 * A batch during one run of its workflow: which shards wait and run, what has been counted, and how it is to be run. Whatever
 * changes it is shown in listings and, where it concerns them, told to the shards that run.
 *
 * What it does to the world has an order that kept histories have too: tell the shards, pause and tell the webhook, show.
 */
export class Batch {
  readonly input: BatchInput;
  /** ISO 8601: when the first run began. */
  readonly startedAt: string;
  readonly lostShards: LostShard[];
  readonly #ledger: Ledger;
  readonly #running = new RunningShards();
  readonly #publish = publisher();
  #waiting: ShardRef[];
  #control: BatchControl;

  /** @param carry what the run before has handed over, where this is not the first */
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

  /** What it was told by its shards, and which of them can say more. */
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

  /** Shards that nobody has started, in the plan's order. */
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

  /** Tells Temporal's UI and listings how far it is, as far as that is news there. */
  show(): void {
    this.#publish(this.progress);
  }

  begin(plan: Plan): void {
    this.#waiting = plan.shards;
    enterPlan(this.#ledger, plan);
    this.show();
  }

  /** Changes how it is run from now on. `check` comes first. */
  change(change: ControlChange): void {
    this.#control = changed(this.#control, change, sumOf(this.#ledger).failed);
    if (change.kind === 'cancel-size') this.#leaveOut(change.size);
    this.#running.tell(this.#control);
    this.show();
  }

  /** @throws Error for a person who asks for a change that cannot be made */
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

  /** A shard is about to start. @returns what it has to know; nothing while nobody has changed anything */
  admit(shard: ShardRef): ShardControl | undefined {
    return this.#running.add(shard, this.#control);
  }

  /** A shard can be told of changes once it has started. */
  started(shard: ShardRef, handle: ChildWorkflowHandle<Workflows['renderShard']>): void {
    this.#running.started(shard.shard, handle, this.#control);
  }

  /** A shard that runs says how far it is. Reports of another run's shards are none of ours. */
  reported(report: ShardReport): void {
    const shard = this.#running.find(report.shard);
    if (shard === undefined) return;
    enterReport(this.#ledger, shard, report);
    this.#keepBudget();
    this.show();
  }

  /** Notes a shard's end; `release` comes next. */
  completed(shard: ShardRef, report: ShardReport): void {
    enterReport(this.#ledger, shard, report);
    closeShard(this.#ledger, shard, 'completed');
  }

  /** Notes a shard's end. It still answers queries; what it has done would be counted twice. */
  cancelled(shard: ShardRef): void {
    closeShard(this.#ledger, shard, 'cancelled');
    this.#running.ended(shard.shard);
  }

  /** Notes that it was terminated or failed as a whole; `release` comes next. */
  lost(shard: ShardRef, reason: string): void {
    this.lostShards.push({ shard: shard.shard, reason });
    closeShard(this.#ledger, shard, { lost: reason });
  }

  /** A shard has completed or is lost: the others share its part of the window. Kept histories have a step between the two. */
  release(shard: ShardRef): void {
    this.#running.remove(shard.shard, this.#control);
    this.#keepBudget();
    this.show();
  }

  /** A person has cancelled it, which it says until its end. */
  stop(): void {
    this.#ledger.state = 'stopping';
    this.show();
  }

  /** Nothing runs any more, and nothing will be started. */
  finish(): void {
    leaveOut(this.#ledger, this.#waiting);
    if (this.#ledger.state !== 'stopping') this.#ledger.state = 'finishing';
    this.show();
  }

  /** What it came to is written. */
  recorded({ manifest, warnings }: WrittenManifest): void {
    this.#ledger.manifest = manifest;
    enterWarnings(this.#ledger, warnings);
  }

  end(state: BatchState): void {
    this.#ledger.state = state;
    this.show();
  }

  /** It ends, and nothing tells what became of its rows but what its shards have written. */
  endWithoutManifest(reason: string, state: BatchState = this.#ledger.state): void {
    this.#ledger.withoutManifest = reason;
    showWithoutManifest(reason);
    this.end(state);
  }

  /** Shards of a cancelled size that have not begun never do. */
  #leaveOut(size: Size): void {
    leaveOut(
      this.#ledger,
      this.#waiting.filter((shard) => shard.size === size),
    );
    this.#waiting = this.#waiting.filter((shard) => shard.size !== size);
  }

  /** Pauses the batch where too many of its jobs fail. */
  #keepBudget(): void {
    const { jobs, failed } = sumOf(this.#ledger);
    const control = withinBudget(this.#control, jobs, failed);
    if (control === this.#control) return;
    this.#control = control;
    this.#running.tell(control);
    // Failures of a cancelled batch are told when it has ended, which is soon.
    if (CancellationScope.current().consideredCancelled) return;
    void announce(this.input, 'batch.paused', { reason: control.paused ?? '' }, control.version);
  }
}
