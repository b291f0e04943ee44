import { setMaxListeners } from 'node:events';
import { CancelledFailure } from '@temporalio/common';

/** Signals that a worker's process receives. */
export type WorkerStop = {
  /** To stop. Images in hand may go on for the grace time. */
  signal: AbortSignal;
  graceMs: number;
  /** That the grace time is over; the reason is WorkerStopping. */
  over: AbortSignal;
  /** To take nothing new. What has been begun is finished, however long it takes. */
  drain: AbortSignal;
};

const never = new AbortController().signal;
// Each image in hand listens.
setMaxListeners(0, never);

export const NEVER_STOPS: WorkerStop = { signal: never, graceMs: 0, over: never, drain: never };

/** From the end of the grace time until a step that goes on and on is left: the machine may go at any moment. */
const LEAVE_AFTER_MS = 5_000;

type RenderStopOptions = {
  /** Temporal's: aborted when nobody waits for the image any more, or at the end of the worker's grace time. */
  cancelled: AbortSignal;
  worker: WorkerStop;
  /** Denoising steps of the image; none of one that does not need the device, or not any more. */
  steps?: number;
};

/**
 * What stops one image, between two steps of it. The signal's reason is what its attempt ends with:
 *
 * - `CancelledFailure`: nobody waits for it.
 * - `WorkerStopping`: the process is told to stop, and the image, at the pace of its steps so far, cannot be finished
 *   within the grace time, or does not have the device. Every second that it would go on is one that another worker
 *   waits. Or the process is told to drain, and the image still waits for the device: another worker need not.
 */
export class RenderStop {
  readonly signal: AbortSignal;
  /** Rejects with WorkerStopping when not even the end of the running step is worth waiting for. */
  readonly leave: Promise<never>;
  readonly #stopping = new AbortController();
  readonly #options: Required<RenderStopOptions>;
  #leaveNow: (reason: WorkerStopping) => void = () => {};
  #leaveTimer: NodeJS.Timeout | undefined;
  /** When the grace time ends; the process has not been told to stop where there is none. */
  #deadline: number | undefined;
  #begun: number | undefined;
  #done = 0;
  #left: number;

  constructor(options: RenderStopOptions) {
    this.signal = this.#stopping.signal;
    this.leave = new Promise((_, reject) => {
      this.#leaveNow = reject;
    });
    // It may come when nobody waits for the image any more.
    this.leave.catch(() => {});
    this.#options = { steps: 0, ...options };
    this.#left = this.#options.steps;
    whenAborted(options.cancelled, this.#cancelled);
    whenAborted(options.worker.signal, this.#told);
    whenAborted(options.worker.over, this.#handBack);
    whenAborted(options.worker.drain, this.#drained);
  }

  /** Whether the state in which the image stops is of use to another attempt: who cancels an image does not want more of it. */
  get isStateWanted(): boolean {
    return !this.signal.aborted || this.signal.reason instanceof WorkerStopping;
  }

  /** The image has the device. */
  begin(): void {
    this.#begun = performance.now();
  }

  /** @param step counted from 1, those of an earlier attempt included */
  step(step: number): void {
    this.#done += 1;
    this.#left = this.#options.steps - step;
    this.#judge();
  }

  /** The image is there, or is given up. */
  end(): void {
    clearTimeout(this.#leaveTimer);
    this.#options.cancelled.removeEventListener('abort', this.#cancelled);
    const { signal, over, drain } = this.#options.worker;
    signal.removeEventListener('abort', this.#told);
    over.removeEventListener('abort', this.#handBack);
    drain.removeEventListener('abort', this.#drained);
  }

  readonly #cancelled = (): void => {
    const { reason } = this.#options.cancelled;
    const isShutdown = reason instanceof CancelledFailure && reason.message === 'WORKER_SHUTDOWN';
    this.#stopping.abort(isShutdown ? new WorkerStopping() : reason);
  };

  readonly #told = (): void => {
    const { graceMs } = this.#options.worker;
    this.#deadline = performance.now() + graceMs;
    this.#leaveTimer = setTimeout(() => this.#leaveNow(new WorkerStopping()), graceMs + LEAVE_AFTER_MS);
    if (this.#begun === undefined) this.#handBack();
    else this.#judge();
  };

  readonly #drained = (): void => {
    if (this.#begun === undefined && this.#options.steps > 0) this.#handBack();
  };

  readonly #handBack = (): void => this.#stopping.abort(new WorkerStopping());

  #judge(): void {
    if (this.#deadline === undefined || this.#begun === undefined || this.#done === 0) return;
    const now = performance.now();
    const perStep = (now - this.#begun) / this.#done;
    if (now + perStep * this.#left > this.#deadline) this.#handBack();
  }
}

function whenAborted(signal: AbortSignal, listener: () => void): void {
  if (signal.aborted) listener();
  else signal.addEventListener('abort', listener, { once: true });
}

/** The worker's process was told to stop before the image could be finished. */
export class WorkerStopping extends Error {
  override readonly name = 'WorkerStopping';

  constructor() {
    super('the worker was told to stop before the image was finished; another worker continues it');
  }
}
