import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import { CANCELLED_RENDERS_SECONDS } from '../contract/limits.ts';
import { endsInTime } from '../last-tries.ts';

/** What a pool calls to get its work done. */
type PoolWork = {
  /**
   * Renders a job at the batch's present priority. The scope around it is cancelled if the job is taken back or no
   * longer wanted.
   */
  render(index: number, priority: number): Promise<JobOutcome>;
  /** The scheduled jobs that a worker is executing, and whether each has a picture that only waits for its store. */
  inHand(): Promise<Map<number, { waits: boolean }>>;
  onOutcome(outcome: JobOutcome): void;
};

type PoolSettings = { paused: boolean; window: number; priority: number };

/** `recalled` jobs wait again, `dropped` ones are not rendered. */
type Fate = 'wanted' | 'recalled' | 'dropped';

/**
 * A shard's jobs: those that wait, in order, and a window of scheduled ones. Settings may change while it runs: jobs
 * that are scheduled but not with a worker yet are then taken back and wait again; jobs being rendered are finished. A
 * pause also takes back rendered jobs that wait for their store.
 *
 * The window consists of lanes, each of which takes one job after another. A lane has a scope, so that its job can be
 * cancelled, and keeps it from job to job, since every promise costs a workflow time (docs/decisions/066).
 */
export class JobPool {
  readonly #work: PoolWork;
  readonly #scope = CancellationScope.current();
  readonly #scheduled = new Map<number, { scope: CancellationScope; fate: Fate; priority: number }>();
  #waiting: number[];
  #settings: PoolSettings;
  /** Jobs from this one on must not start yet. */
  #open = Number.POSITIVE_INFINITY;
  #fault: unknown = null;
  #recalling = false;
  #running = false;
  /** A setting has changed, and jobs in the task queue may not match it. */
  #stale = false;

  constructor(jobs: number, settings: PoolSettings, work: PoolWork) {
    this.#waiting = Array.from({ length: jobs }).map((_, index) => index);
    this.#settings = settings;
    this.#work = work;
  }

  /**
   * Runs until no job waits or is scheduled. If the shard is cancelled, waits some seconds for scheduled jobs before it
   * throws that.
   */
  async run(): Promise<void> {
    this.#running = true;
    this.#fill();
    try {
      await condition(() => this.#fault !== null || this.#waiting.length + this.#scheduled.size === 0);
    } catch (error) {
      if (!isCancellation(error)) throw error;
      await CancellationScope.nonCancellable(() => this.#untilStopped());
      throw error;
    }
    if (this.#fault !== null) throw this.#fault;
  }

  change(settings: PoolSettings): void {
    const before = this.#settings;
    this.#settings = settings;
    const { paused, window, priority } = settings;
    if ((paused && !before.paused) || window < this.#scheduled.size || priority !== before.priority) {
      this.#stale = true;
      this.#recall().catch((error: unknown) => {
        // A cancelled shard has nothing left to take back.
        if (!isCancellation(error)) this.fail(error);
      });
    }
    this.#fill();
  }

  /** Limits jobs to those before this one until the next call. */
  openUntil(index: number): void {
    this.#open = index;
    this.#fill();
  }

  /** Drops jobs that are no longer wanted, whether they wait or run. */
  drop(indices: Iterable<number>): void {
    const dropped = new Set(indices);
    this.#waiting = this.#waiting.filter((index) => !dropped.has(index));
    for (const index of dropped) this.#cancel(index, 'dropped');
    this.#fill();
  }

  /** Makes `run` throw an error that is not a job's. */
  fail(error: unknown): void {
    this.#fault = error;
  }

  async #untilStopped(): Promise<void> {
    const isIdle = (): boolean => this.#scheduled.size === 0;
    if (isIdle()) return;
    if (endsInTime()) await condition(isIdle, 1_000 * CANCELLED_RENDERS_SECONDS);
    else await condition(isIdle);
  }

  #cancel(index: number, fate: Fate): void {
    const job = this.#scheduled.get(index);
    if (job === undefined) return;
    job.fate = fate;
    job.scope.cancel();
  }

  #fill(): void {
    // A lane takes its first job synchronously, and never rejects: it records errors in #fault.
    while (this.#mayStart()) void this.#lane();
  }

  #mayStart(): boolean {
    const { paused, window } = this.#settings;
    const isOpen = this.#running && this.#fault === null && !paused && !this.#scope.consideredCancelled;
    return isOpen && this.#scheduled.size < window && (this.#waiting[0] ?? this.#open) < this.#open;
  }

  /** Ends when there is nothing to start, or when its scope is cancelled: another lane then takes its place. */
  async #lane(): Promise<void> {
    // Its parent is the shard's scope, not a signal handler's.
    const scope = new CancellationScope({ cancellable: true, parent: this.#scope });
    while (!scope.consideredCancelled && this.#mayStart()) {
      const index = this.#waiting.shift()!;
      const job = { scope, fate: 'wanted' as Fate, priority: this.#settings.priority };
      this.#scheduled.set(index, job);
      try {
        const outcome = await scope.run(() => this.#work.render(index, job.priority));
        this.#scheduled.delete(index);
        this.#work.onOutcome(outcome);
      } catch (error) {
        this.#scheduled.delete(index);
        if (!isCancellation(error)) this.#fault = error;
        else if (job.fate === 'recalled') this.#putBack(index);
      }
    }
    this.#fill();
  }

  #putBack(index: number): void {
    const place = this.#waiting.findIndex((other) => other > index);
    this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, index);
  }

  /** One at a time, because each asks which jobs workers are executing; a change in the meantime makes it check again. */
  async #recall(): Promise<void> {
    if (this.#recalling) return;
    this.#recalling = true;
    try {
      while (this.#stale) {
        this.#stale = false;
        const asked = [...this.#scheduled.keys()];
        const inHand = await this.#work.inHand();
        const { paused, window, priority } = this.#settings;
        const isKept = (index: number) => (paused ? inHand.get(index)?.waits === false : inHand.has(index));
        const queued = asked.filter((index) => !isKept(index) && this.#scheduled.get(index)?.fate === 'wanted');
        const excess = paused ? queued.length : Math.max(0, this.#scheduled.size - window);
        const lastFirst = queued.toSorted((a, b) => b - a);
        const misplaced = (index: number) => this.#scheduled.get(index)?.priority !== priority;
        for (const [rank, index] of lastFirst.entries()) {
          if (rank < excess || misplaced(index)) this.#cancel(index, 'recalled');
        }
      }
    } finally {
      this.#recalling = false;
    }
  }
}
