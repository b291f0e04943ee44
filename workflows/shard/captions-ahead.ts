import {
  ActivityCancellationType,
  CancellationScope,
  condition,
  isCancellation,
  proxyActivities,
  sleep,
} from '@temporalio/workflow';
import type { EncodeActivities, EncodedCaptions } from '../contract/activities.ts';
import * as limits from '../contract/limits.ts';
import { encodeQueue } from '../contract/queues.ts';
import type { ShardInput } from '../contract/workflows.ts';
import { orchestrator } from '../orchestrator.ts';
import { isKeyMissing } from './failure.ts';
import { MissedCaptions } from './missed-captions.ts';

type CaptionsAheadOptions = {
  input: ShardInput;
  /** Digest of the text encoder. */
  encoder: string;
  jobs: number;
  /**
   * Called when all jobs before this one may start: their captions are there, or not worth waiting for. The number may
   * shrink again.
   */
  onReady(jobs: number): void;
  /** The shard's present settings. */
  settings(): { paused: boolean; priority: number };
};

/**
 * Has a shard's texts encoded before its pictures are rendered, a few seconds' worth at a time. Pictures wait for that
 * while there is a worker that encodes. If there is none, they start anyway, since render workers of earlier versions
 * and those with a text encoder do not need it; meanwhile the texts wait for a worker.
 */
export class CaptionsAhead {
  readonly #options: CaptionsAheadOptions;
  readonly #scope = new CancellationScope();
  /** Handles jobs that are rendered without their captions. */
  readonly missed = new MissedCaptions(this.#scope, (index) => this.#encode(index, index + 1, true));
  /** The captions of all jobs before this one are there. */
  #encoded = 0;
  #calls = 0;
  #isAwaited = true;
  /** The time between two checks for encoders. It grows, because each check costs eleven events of history. */
  #pauseSeconds = 0;

  constructor(options: CaptionsAheadOptions) {
    this.#options = options;
  }

  /** Runs until all are encoded, or it cannot continue: render workers then find out what is wrong. */
  async run(): Promise<void> {
    try {
      await this.#scope.run(() => this.#untilEncoded());
    } catch (error) {
      if (!isCancellation(error)) this.#goAhead();
    }
  }

  /** Nobody needs captions any more. */
  end(): void {
    this.#scope.cancel();
  }

  /** If a worker lacks the key to its input, tries again, for another worker. */
  async #untilEncoded(): Promise<void> {
    for (let waitSeconds = limits.KEY_MISSING_SECONDS; ; waitSeconds *= 2) {
      try {
        return await this.#encodeAll();
      } catch (error) {
        if (!isKeyMissing(error)) throw error;
      }
      await sleep(1_000 * Math.min(waitSeconds, limits.KEY_MISSING_AT_MOST_SECONDS));
    }
  }

  async #encodeAll(): Promise<void> {
    const { jobs, settings } = this.#options;
    for (let from = this.#encoded; from < jobs; ) {
      await condition(() => !settings().paused);
      const encoding = this.#encode(from, jobs);
      await this.#watch(encoding, from);
      from = (await encoding).until;
      this.#encoded = from;
      this.#holdFrom(from);
    }
  }

  /** While texts are encoded, checks now and then whether any worker does that: only then do jobs from this one on wait. */
  async #watch(encoding: Promise<unknown>, from: number): Promise<void> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    encoding.then(end, end);
    for (;;) {
      if (this.#pauseSeconds > 0) await condition(() => isDone, 1_000 * this.#pauseSeconds);
      if (isDone) return;
      const seen = await orchestrator.encodersSeen({ encoder: this.#options.encoder });
      if (isDone) return;
      if (seen === 0) this.#goAhead();
      else if (!this.#isAwaited) this.#holdFrom(from);
      this.#pauseSeconds = Math.min(
        Math.max(limits.ENCODERS_SEEN_SECONDS, 2 * this.#pauseSeconds),
        limits.ENCODERS_SEEN_AT_MOST_SECONDS,
      );
    }
  }

  #holdFrom(from: number): void {
    this.#isAwaited = true;
    this.#options.onReady(from);
  }

  #goAhead(): void {
    this.#isAwaited = false;
    this.#options.onReady(this.#options.jobs);
  }

  #encode(from: number, to: number, isMissed = false): Promise<EncodedCaptions> {
    const { input, encoder, settings } = this.#options;
    const { store, batch, shard, team } = input;
    this.#calls += 1;
    const { encodeCaptions } = proxyActivities<EncodeActivities>({
      taskQueue: encodeQueue(encoder),
      startToCloseTimeout: limits.ENCODE_START_TO_CLOSE,
      heartbeatTimeout: limits.RENDER_HEARTBEAT_TIMEOUT,
      retry: limits.ENCODE_RETRY,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      summary: to - from === 1 ? `job ${from}` : `jobs ${from} to ${to - 1}`,
      // Must not look like a job's id: see indexOf in wanted-jobs.ts.
      activityId: `captions-${this.#calls}`,
      priority: {
        priorityKey: settings().priority,
        ...(team && { fairnessKey: team.name, fairnessWeight: team.weight }),
      },
    });
    return encodeCaptions({ store, batch, shard: shard.name, from, to, encoder, ...(isMissed && { isMissed }) });
  }
}
