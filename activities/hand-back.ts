import { CancelledFailure } from '@temporalio/common';

/** The worker's process is told to stop when the signal is aborted; images in hand may go on for the grace time. */
export type WorkerStop = { signal: AbortSignal; graceMs: number };

export const NEVER_STOPS: WorkerStop = { signal: new AbortController().signal, graceMs: 0 };

/** From the end of the grace time until a step that goes on and on is left: the machine may go at any moment. */
const LEAVE_AFTER_MS = 5_000;

/**
 * Decides, once the process is told to stop, whether one image can be finished within the grace time. One that cannot, at the
 * pace of its steps so far, or that still waits for the device, stops at once, between two steps: every second it would go
 * on is one that another worker waits.
 */
export class HandBack {
  /** Aborted when the image should stop between two steps. */
  readonly signal: AbortSignal;
  /** Aborted when not even the end of the running step is worth waiting for. */
  readonly giveUp: AbortSignal;
  readonly #stopping = new AbortController();
  readonly #leaving = new AbortController();
  readonly #stop: WorkerStop;
  readonly #steps: number;
  #deadline: number | undefined;
  #leave: NodeJS.Timeout | undefined;
  #begun: number | undefined;
  #done = 0;
  #left: number;

  constructor(stop: WorkerStop, steps: number) {
    this.signal = this.#stopping.signal;
    this.giveUp = this.#leaving.signal;
    this.#stop = stop;
    this.#steps = steps;
    this.#left = steps;
    if (stop.signal.aborted) this.#told();
    else stop.signal.addEventListener('abort', this.#told, { once: true });
  }

  begin(): void {
    this.#begun = performance.now();
  }

  /** @param step counted from 1, those of an earlier attempt included */
  step(step: number): void {
    this.#done += 1;
    this.#left = this.#steps - step;
    this.#decide();
  }

  end(): void {
    clearTimeout(this.#leave);
    this.#stop.signal.removeEventListener('abort', this.#told);
  }

  readonly #told = (): void => {
    this.#deadline = performance.now() + this.#stop.graceMs;
    this.#leave = setTimeout(() => this.#leaving.abort(new HandedBack()), this.#stop.graceMs + LEAVE_AFTER_MS);
    if (this.#begun === undefined) this.#stopping.abort(new HandedBack());
    else this.#decide();
  };

  #decide(): void {
    if (this.#deadline === undefined || this.#begun === undefined || this.#done === 0) return;
    const now = performance.now();
    const perStep = (now - this.#begun) / this.#done;
    if (now + perStep * this.#left > this.#deadline) this.#stopping.abort(new HandedBack());
  }
}

class HandedBack extends Error {}

/** Whether this ended a render because its worker stops: we asked for it, or Temporal's SDK did at the end of the grace time. */
export const isHandedBack = (reason: unknown): boolean =>
  reason instanceof HandedBack || (reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN');
