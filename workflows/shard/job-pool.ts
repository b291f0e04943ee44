import { CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import { CANCELLED_RENDERS_SECONDS } from '../contract/limits.ts';
import { endsInTime } from '../last-tries.ts';

/** What a pool does to the world. */
export type PoolWork = {
  /** Renders a job at the batch's usual priority of now. The scope around it is cancelled where the job is taken back or not wanted any more. */
  render(index: number, priority: number): Promise<JobOutcome>;
  /** Of the jobs that are scheduled, those that a worker has in hand, and whether a picture of theirs only waits for its store. */
  inHand(): Promise<Map<number, { waits: boolean }>>;
  onOutcome(outcome: JobOutcome): void;
};

export type PoolSettings = { paused: boolean; window: number; priority: number };

/** `recalled` jobs go back to those that wait, `dropped` ones are not made. */
type Fate = 'wanted' | 'recalled' | 'dropped';

/**
 * A shard's jobs: those that wait, in order, and a window of those that are scheduled. Settings may change while it runs: what
 * was scheduled and is not in a worker's hands yet is then taken back and waits again; what is being rendered is finished. A pause also takes
 * back what was rendered and waits for its store.
 *
 * The window is made of lanes, which take one job after the other. A lane has a scope, so that its job can be cancelled; it keeps
 * it from job to job, since every promise costs a workflow time (docs/decisions/066).
 */
export class JobPool {
  readonly #work: PoolWork;
  readonly #scope = CancellationScope.current();
  readonly #scheduled = new Map<number, { scope: CancellationScope; fate: Fate; priority: number }>();
  #waiting: number[];
  #settings: PoolSettings;
  /** Jobs from this one on are not to be started yet. */
  #open = Number.POSITIVE_INFINITY;
  #fault: unknown = null;
  #recalling = false;
  #running = false;
  /** A setting has changed, and what is in the queue may not fit it. */
  #stale = false;

  constructor(jobs: number, settings: PoolSettings, work: PoolWork) {
    this.#waiting = Array.from({ length: jobs }).map((_, index) => index);
    this.#settings = settings;
    this.#work = work;
  }

  /** Until no job waits or is scheduled. Where the shard is cancelled, what is scheduled is awaited for some seconds before that is thrown. */
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
        // A cancelled shard has nothing to take back any more.
        if (!isCancellation(error)) this.fail(error);
      });
    }
    this.#fill();
  }

  /** Starts jobs before this one only, until it is told of more. */
  openUntil(index: number): void {
    this.#open = index;
    this.#fill();
  }

  /** Jobs that are not wanted any more, whether they wait or run. */
  drop(indices: Iterable<number>): void {
    const dropped = new Set(indices);
    this.#waiting = this.#waiting.filter((index) => !dropped.has(index));
    for (const index of dropped) this.#cancel(index, 'dropped');
    this.#fill();
  }

  /** Ends `run` with an error that is not a job's. */
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
    // A lane takes its first job at once, and is never rejected: it notes what goes wrong.
    while (this.#mayStart()) void this.#lane();
  }

  #mayStart(): boolean {
    const { paused, window } = this.#settings;
    const isOpen = this.#running && this.#fault === null && !paused && !this.#scope.consideredCancelled;
    return isOpen && this.#scheduled.size < window && (this.#waiting[0] ?? this.#open) < this.#open;
  }

  /** Ends where there is nothing to start, or with its scope: another lane takes its place then. */
  async #lane(): Promise<void> {
    // Its parent is the shard's scope, not that of a signal.
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

  /** One at a time, because each asks which jobs are in hand; a change that comes meanwhile makes it look again. */
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
