import { ActivityFailure, RetryState } from '@temporalio/common';
import { type CancellationScope, condition, isCancellation, sleep } from '@temporalio/workflow';
import type { JobOutcome } from '../../domain/receipt.ts';
import * as limits from '../contract/limits.ts';
import { failureOf, isCaptionLacking, isKeyMissing } from './failure.ts';

/** A job whose every attempt has found a caption missing. */
type Missed = {
  /** How often its texts were tried to be encoded. */
  tries: number;
  /** What the last of these failed with, or `null`. */
  failure: unknown;
  /** Given, it waits no longer: it is to be rendered again, or to look for all whether captions are found now, or it never will be. */
  answer: 'again' | 'look' | 'never' | null;
};

const WAIT_MS = 60_000 * limits.CAPTION_MINUTES;

/**
 * Has texts encoded again that render workers found missing, one job's after the other's. All jobs share one wait for an encoder, however
 * many they are: a shard that waits for days must not fill its history.
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

  /** Renders a job, again each time that its texts were encoded, and as often as is worth it. */
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

  /** Rejects where the job is cancelled meanwhile. */
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
      // Of a cancelled shard no job waits.
      if (!isCancellation(error)) throw error;
    } finally {
      this.#isEncoding = false;
    }
  }

  /** Where none can be encoded for a reason that may pass, it is given time to. */
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

  /** Of encoding a job's texts; `null` where it succeeds. */
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
    // Where nobody encodes, render workers may have changed meanwhile: one job finds out for all.
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

  /** The job's lane goes on a moment later: it must not be taken for one that waits still. */
  #answer(index: number, missed: Missed, answer: Missed['answer']): void {
    missed.answer = answer;
    this.#forget(index, missed);
  }

  /** Not the same job that was taken back and begun anew. */
  #forget(index: number, missed: Missed): void {
    if (this.#waiting.get(index) === missed) this.#waiting.delete(index);
  }
}

/** Whether every worker would say the same. */
const isFinal = (failure: unknown): boolean =>
  failure instanceof ActivityFailure &&
  failure.retryState === RetryState.NON_RETRYABLE_FAILURE &&
  !isKeyMissing(failure);
