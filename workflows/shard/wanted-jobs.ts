import { isCancellation, patched, setHandler } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import type { RowFilter } from '../../domain/row-filter.ts';
import type { EarlierWork } from '../contract/activities.ts';
import type { ShardControl } from '../contract/control.ts';
import { isWaiting } from '../contract/in-hand.ts';
import type { JobSummary } from '../contract/plan.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { shardControlSignal } from '../messages.ts';
import { orchestrator } from '../orchestrator.ts';
import { CaptionsAhead } from './captions-ahead.ts';
import { JobPool } from './job-pool.ts';
import { renderJob } from './render-job.ts';

/** The jobs of a shard that its batch wants: the pool that holds them, and how the batch's control settings apply to it. */
export class WantedJobs {
  readonly #input: ShardInput;
  readonly #jobs: JobSummary[];
  readonly #pool: JobPool;
  readonly #captions: CaptionsAhead | null;
  /** The work done on jobs that were taken back from a worker. */
  readonly #earlier = new Map<number, EarlierWork>();
  #settings: ShardControl;
  #starts = 0;
  #filtersApplied = 0;
  #filtering: Promise<void> = Promise.resolve();

  constructor(input: ShardInput, jobs: JobSummary[], control: ShardControl, onOutcome: (outcome: JobOutcome) => void) {
    this.#input = input;
    this.#jobs = jobs;
    this.#pool = new JobPool(jobs.length, control, {
      render: (index, priority) => this.#render(index, priority),
      inHand: async () => {
        const told = await orchestrator.activitiesInHand();
        return new Map(told.map((inHand) => [indexOf(inHand), { waits: isWaiting(inHand) }]));
      },
      onOutcome,
    });
    this.#settings = control;
    this.#captions = this.#captionsAhead();
    this.#apply(control);
    let { sequence } = control;
    setHandler(shardControlSignal, (next) => {
      if (next.sequence <= sequence) return;
      sequence = next.sequence;
      this.#settings = next;
      this.#apply(next);
      this.#pool.change(next);
    });
  }

  /** Applies filters that were set before the shard started before its first job starts. */
  async run(): Promise<void> {
    await this.#filtering;
    void this.#captions?.run();
    try {
      await this.#pool.run();
    } finally {
      this.#captions?.end();
    }
  }

  /** `null` if the batch does not name a text encoder: render workers then encode the texts themselves. */
  #captionsAhead(): CaptionsAhead | null {
    const { encoder } = this.#input;
    if (encoder === undefined || !patched('captions-ahead')) return null;
    this.#pool.openUntil(0);
    return new CaptionsAhead({
      input: this.#input,
      encoder,
      jobs: this.#jobs.length,
      onReady: (jobs) => this.#pool.openUntil(jobs),
      settings: () => this.#settings,
    });
  }

  #apply({ cancelAll, filters }: ShardControl): void {
    if (cancelAll) this.#pool.drop(this.#jobs.keys());
    const fresh = filters.slice(this.#filtersApplied);
    this.#filtersApplied = filters.length;
    if (fresh.length > 0) this.#filtering = this.#drop(this.#filtering, fresh);
  }

  async #drop(before: Promise<void>, filters: RowFilter[]): Promise<void> {
    await before;
    const { store, shard } = this.#input;
    try {
      for (const filter of filters) {
        this.#pool.drop(await orchestrator.matchJobs({ store, shard: shard.name, filter }));
      }
    } catch (error) {
      // A cancelled shard renders nothing anyway.
      if (!isCancellation(error)) this.#pool.fail(error);
    }
  }

  /** The activity's id names the job, because the server is asked which activities a worker is executing. */
  async #render(index: number, usualPriority: number): Promise<JobOutcome> {
    const attempt = (): Promise<JobOutcome> => {
      this.#starts += 1;
      return renderJob(this.#input, index, this.#jobs[index]!, {
        ...{ activityId: `${index}-${this.#starts}`, usualPriority, earlier: this.#earlier.get(index) },
        onCancelled: (work) => this.#earlier.set(index, work),
      });
    };
    return this.#captions === null ? attempt() : this.#captions.missed.render(index, attempt);
  }
}

/** The job's index, with which an activity's id starts. */
const indexOf = (inHand: string): number => Number.parseInt(inHand, 10);
