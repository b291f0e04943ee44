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
 * Reads earlier work from the details of the last heartbeat, or from what a workflow has recorded. A first attempt has
 * none; details that another version wrote differently count as none.
 */
export const earlierWork = (told: unknown): EarlierWork => earlierWorkSchema.safeParse(told).data ?? NO_WORK;

/**
 * Seldom while the image waits: the SDK sends at most one heartbeat a second, and the one that reports the start of
 * computing must not queue behind another. If the worker were killed in that second, the computation would not be counted.
 */
const WAITING_MS = 2_500;

/**
 * Often while the image is computed: cancellations arrive with the response to a heartbeat, and a step may take minutes.
 * The first one is sent only after this time, since an image that is finished sooner needs no call to the server.
 */
const COMPUTING_MS = 500;

/** Seldom again: hundreds of finished images may wait for a store at once. */
const HELD_MS = 5_000;

/** The heartbeats of one attempt, on a timer: a step may take longer than the heartbeat timeout, or hardly any time. */
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

  /** Names the image in all heartbeats from now on. */
  nameImage(job: Pick<RenderProgress, 'id' | 'image'>): void {
    this.#progress = { ...job, ...this.#progress };
  }

  /** @param from the step that an earlier attempt reached, from which this one continues */
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

  /** Reports at once, and from then on, that the image is waiting for its store, and why. */
  waitFor(reason: string): void {
    this.#progress.waitsFor = reason;
    this.#progress.waitsSince ??= new Date().toISOString();
    this.#beatEvery(HELD_MS);
    this.#beat();
  }

  stopWaiting(): void {
    delete this.#progress.waitsFor;
    delete this.#progress.waitsSince;
  }

  /** Reports at once whether the worker is making this image alone: see Company. */
  setAlone(isAlone: boolean): void {
    this.#progress.attempts = { ...this.#progress.attempts, isAlone };
    this.#beat();
  }

  /** Reports at once how the attempt ended, so that the next attempt knows. */
  end(end: AttemptEnd): void {
    // Before the first step only the text encoder's process can have crashed; a renderer to itself would not help the image.
    const hasBegun = this.#progress.steps > 0;
    this.#progress.attempts = countsAfter(this.#progress.attempts, end === 'crashed' && !hasBegun ? 'failed' : end);
    this.stopWaiting();
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
