import { z } from 'zod';

/** How far a render has come; the heartbeat's details, which the next attempt finds when this one dies. */
const renderProgressSchema = z.object({
  /** Computations begun for this job, those of earlier attempts included. */
  computations: z.int().min(0),
  /** Denoising steps computed for this job, those of earlier attempts included. Absent in what older workers told. */
  stepsComputed: z.int().min(0).default(0),
  step: z.int().min(0),
  steps: z.int().min(0),
});

export type RenderProgress = z.infer<typeof renderProgressSchema>;

/** What earlier attempts of this job did. */
export type EarlierWork = Pick<RenderProgress, 'computations' | 'stepsComputed'>;

/** From the details of the last heartbeat. There is none on the first attempt; one in words of another version is of no use, and no reason to fail. */
export const earlierWork = (heartbeatDetails: unknown): EarlierWork =>
  renderProgressSchema.safeParse(heartbeatDetails).data ?? { computations: 0, stepsComputed: 0 };

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

/** Heartbeats of one attempt, by the clock: a step may be longer than the heartbeat timeout, or shorter than is worth a call. */
export class Heartbeats {
  readonly #send: (progress: RenderProgress) => void;
  readonly #progress: RenderProgress;
  #timer: NodeJS.Timeout;

  constructor(send: (progress: RenderProgress) => void, { computations, stepsComputed }: EarlierWork) {
    this.#send = send;
    this.#progress = { computations, stepsComputed, step: 0, steps: 0 };
    this.#timer = setInterval(this.#beat, WAITING_MS);
  }

  get computations(): number {
    return this.#progress.computations;
  }

  get stepsComputed(): number {
    return this.#progress.stepsComputed;
  }

  /** @param from steps that an earlier attempt did and that need not be done again */
  begin(steps: number, from: number): void {
    this.#progress.computations += 1;
    this.#progress.step = from;
    this.#progress.steps = steps;
    clearInterval(this.#timer);
    this.#timer = setInterval(this.#beat, COMPUTING_MS);
  }

  step(step: number): void {
    this.#progress.step = step;
    this.#progress.stepsComputed += 1;
  }

  /** For the next attempt, where this one fails before a heartbeat was due. */
  last(): void {
    this.#beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #beat = (): void => this.#send({ ...this.#progress });
}
