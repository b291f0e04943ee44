import { ActivityFailure, RetryState } from '@temporalio/common';
import { type CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import * as limits from '../contract/limits.ts';
import { failureOf, isCaptionLacking, isKeyMissing } from './failure.ts';

/** A job all of whose attempts found a caption missing. */
type Missed = {
  /** How often encoding its texts was tried. */
  tries: number;
  /** The failure of the last of these, or `null`. */
  failure: unknown;
  /** Set when it stops waiting: render it again, render it to check for all whether captions are found now, or give up. */
  answer: 'again' | 'look' | 'never' | null;
};

const WAIT_MS = 60_000 * limits.CAPTION_MINUTES;

/**
 * Has texts encoded again whose captions render workers found missing, one job at a time. All jobs share one wait for
 * an encoder, because a shard that waits for days must not fill its history.
 */
export class MissedCaptions {
  readonly #encode: (index: number) => Promise<unknown>;
  readonly #scope: CancellationScope;
  readonly #waiting = new Map<number, Missed>();
  #isEncoding = false;

  constructor(scope: CancellationScope, encode: (index: number) => Promise<unknown>) {
    this.#scope = scope;
    this.#encode = encode;
  }

  /** Renders a job, again each time its texts were encoded, up to the limit. */
  async render(index: number, attempt: () => Promise<JobOutcome>): Promise<JobOutcome> {
    const missed: Missed = { tries: 0, failure: null, answer: null };
    for (;;) {
      const outcome = await attempt();
      if (!isCaptionLacking(outcome)) {
        if (missed.answer === 'look' && !('reason' in outcome)) this.#answerAll();
        return outcome;
      }
      if (missed.tries < limits.CAPTION_TRIES) await this.#answered(index, missed);
      else missed.answer = 'never';
      if (missed.answer === 'never') {
        return missed.failure === null ? outcome : failureOf(outcome.id, missed.failure);
      }
    }
  }

  /** Rejects if the job is cancelled in the meantime. */
  async #answered(index: number, missed: Missed): Promise<void> {
    missed.answer = null;
    this.#waiting.set(index, missed);
    if (!this.#isEncoding) void this.#scope.run(() => this.#encodeWaiting());
    try {
      await condition(() => missed.answer !== null);
    } finally {
      this.#forget(index, missed);
    }
  }

  async #encodeWaiting(): Promise<void> {
    this.#isEncoding = true;
    try {
      while (this.#waiting.size > 0) await this.#encodeEach([...this.#waiting]);
    } catch (error) {
      // In a cancelled shard no job waits.
      if (!isCancellation(error)) throw error;
    } finally {
      this.#isEncoding = false;
    }
  }

  /** If none can be encoded for a transient reason, waits before they are tried again. */
  async #encodeEach(all: [number, Missed][]): Promise<void> {
    const left: [number, Missed][] = [];
    let isAnyAnswered = false;
    for (const [index, missed] of all) {
      if (this.#waiting.get(index) !== missed) continue;
      missed.failure = await this.#failureOf(index);
      if (!isKeyMissing(missed.failure)) missed.tries += 1;
      if (missed.failure !== null && !isFinal(missed.failure)) {
        left.push([index, missed]);
        continue;
      }
      this.#answer(index, missed, missed.failure === null ? 'again' : 'never');
      isAnyAnswered = true;
    }
    if (left.length > 0 && !isAnyAnswered) await sleep(WAIT_MS);
    for (const [index, missed] of left) this.#answer(index, missed, 'again');
  }

  /** The failure of encoding a job's texts; `null` if it succeeds. */
  async #failureOf(index: number): Promise<unknown> {
    let end: { failure: unknown } | null = null;
    this.#encode(index).then(
      () => {
        end = { failure: null };
      },
      (failure: unknown) => {
        end = { failure };
      },
    );
    // If nobody encodes, render workers may have changed in the meantime: one job finds out for all.
    while (!(await condition(() => end !== null, WAIT_MS))) this.#sendOne();
    const { failure } = end!;
    if (isCancellation(failure)) throw failure;
    return failure;
  }

  #sendOne(): void {
    const [first] = this.#waiting;
    if (first !== undefined) this.#answer(...first, 'look');
  }

  #answerAll(): void {
    for (const [index, missed] of [...this.#waiting]) this.#answer(index, missed, 'again');
  }

  /** The job's lane continues a moment later, so the job must no longer count as waiting. */
  #answer(index: number, missed: Missed, answer: Missed['answer']): void {
    missed.answer = answer;
    this.#forget(index, missed);
  }

  /** Leaves an entry of the same job that was taken back and started again. */
  #forget(index: number, missed: Missed): void {
    if (this.#waiting.get(index) === missed) this.#waiting.delete(index);
  }
}

/** Whether it would fail the same way on every worker. */
const isFinal = (failure: unknown): boolean =>
  failure instanceof ActivityFailure &&
  failure.retryState === RetryState.NON_RETRYABLE_FAILURE &&
  !isKeyMissing(failure);
