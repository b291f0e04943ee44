import { z } from 'zod';
import type { EarlierWork } from '../workflows/contract/activities.ts';
import type { StepHeartbeat, WaitingHeartbeat } from '../workflows/contract/heartbeats.ts';
import { type AttemptCounts, type AttemptEnd, countsAfter } from './attempts.ts';

/** How far a render has come; the heartbeat's details, which the next attempt finds when this one dies. */
export type RenderProgress = EarlierWork & StepHeartbeat & { attempts: AttemptCounts } & Partial<WaitingHeartbeat>;

/** Older workers do not report the steps. */
const earlierWorkSchema = z.object({ computations: z.int().min(0), stepsComputed: z.int().min(0).default(0) });

const NO_WORK: EarlierWork = { computations: 0, stepsComputed: 0 };

/**
 * From the details of the last heartbeat, or from what a workflow was told. There is none on the first attempt; one in
 * words of another version is of no use, and no reason to fail.
 */
export const earlierWork = (told: unknown): EarlierWork => earlierWorkSchema.safeParse(told).data ?? NO_WORK;

/**
 * Seldom while the task waits: the SDK sends one heartbeat a second at most, and the one that says that computing has
 * begun must not queue behind another, or a worker that is killed in that second leaves a computation uncounted.
 */
const WAITING_MS = 2_500;

/**
 * Often while it computes: the answer to a heartbeat is how a cancellation arrives, and a step may take minutes. The first
 * one comes only after this time, because an image that is finished sooner has no use for another call to the server.
 */
const COMPUTING_MS = 500;

/** Hundreds may wait for a store at once. */
const HELD_MS = 5_000;

/** Heartbeats of one attempt, on a timer: a step may be longer than the heartbeat timeout, or too short to be worth a call. */
export class Heartbeats {
  readonly #send: (progress: RenderProgress) => void;
  #progress: RenderProgress;
  #timer: NodeJS.Timeout;

  constructor(
    send: (progress: RenderProgress) => void,
    { computations, stepsComputed }: EarlierWork,
    attempts: AttemptCounts,
  ) {
    this.#send = send;
    this.#progress = { computations, stepsComputed, step: 0, steps: 0, attempts };
    this.#timer = setInterval(this.#beat, WAITING_MS);
  }

  get computations(): number {
    return this.#progress.computations;
  }

  get attempts(): AttemptCounts {
    return this.#progress.attempts;
  }

  get stepsComputed(): number {
    return this.#progress.stepsComputed;
  }

  /** Whose picture it is. */
  of(job: Pick<RenderProgress, 'id' | 'image'>): void {
    this.#progress = { ...job, ...this.#progress };
  }

  /** @param from steps that an earlier attempt did and that need not be done again */
  begin(steps: number, from: number): void {
    this.#progress.computations += 1;
    this.#progress.step = from;
    this.#progress.steps = steps;
    this.#beatEvery(COMPUTING_MS);
  }

  step(step: number): void {
    this.#progress.step = step;
    this.#progress.stepsComputed += 1;
  }

  /** Reports at once, and from then on, that the finished picture is waiting for its store, and why. */
  waitFor(reason: string): void {
    this.#progress.waitsFor = reason;
    this.#progress.waitsSince ??= new Date().toISOString();
    this.#beatEvery(HELD_MS);
    this.#beat();
  }

  waitNoMore(): void {
    delete this.#progress.waitsFor;
    delete this.#progress.waitsSince;
  }

  /** Reports at once whether the image is being made with no other beside it: see Company. */
  setAlone(isAlone: boolean): void {
    this.#progress.attempts = { ...this.#progress.attempts, isAlone };
    this.#beat();
  }

  /** For the next attempt, where this one ends before a heartbeat was due. */
  last(end: AttemptEnd): void {
    // Before the steps it can only have been the text encoder's process.
    const hasBegun = this.#progress.steps > 0;
    this.#progress.attempts = countsAfter(this.#progress.attempts, end === 'crashed' && !hasBegun ? 'failed' : end);
    this.waitNoMore();
    this.#beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beatEvery(ms: number): void {
    clearInterval(this.#timer);
    this.#timer = setInterval(this.#beat, ms);
  }

  readonly #beat = (): void => this.#send({ ...this.#progress });
}
