import { z } from 'zod';

/** How far a render has come; the heartbeat's details, which the next attempt finds when this one dies. */
const renderProgressSchema = z.object({
  /** Computations begun for this job, those of earlier attempts included. */
  computations: z.int().min(0),
  step: z.int().min(0),
  steps: z.int().min(0),
});

export type RenderProgress = z.infer<typeof renderProgressSchema>;

/** Computations that earlier attempts had begun, from the details of the last heartbeat; there is none on the first attempt. */
export function computationsBegun(heartbeatDetails: unknown): number {
  return heartbeatDetails === undefined ? 0 : renderProgressSchema.parse(heartbeatDetails).computations;
}

/**
 * Seldom while the task waits: the SDK sends one heartbeat a second at most, and the one that says that computing has
 * begun must not queue behind another, or a worker that is killed in that second leaves a computation uncounted.
 */
const WAITING_MS = 2_500;

/** Often while it computes: the answer to a heartbeat is how a cancellation arrives, and a step may take minutes. */
const COMPUTING_MS = 1_000;

/** Heartbeats of one attempt: at every step and, because a step may be longer than the heartbeat timeout, by the clock. */
export class Pulse {
  readonly #send: (progress: RenderProgress) => void;
  readonly #progress: RenderProgress;
  #timer: NodeJS.Timeout;

  constructor(send: (progress: RenderProgress) => void, begunBefore: number) {
    this.#send = send;
    this.#progress = { computations: begunBefore, step: 0, steps: 0 };
    this.#timer = setInterval(this.#beat, WAITING_MS);
  }

  get computations(): number {
    return this.#progress.computations;
  }

  begin(steps: number): void {
    this.#progress.computations += 1;
    this.#progress.steps = steps;
    clearInterval(this.#timer);
    this.#timer = setInterval(this.#beat, COMPUTING_MS);
    this.#beat();
  }

  step(step: number): void {
    this.#progress.step = step;
    this.#beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  readonly #beat = (): void => this.#send({ ...this.#progress });
}
