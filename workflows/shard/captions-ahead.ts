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

export type CaptionsAheadOptions = {
  input: ShardInput;
  /** Digest of the text encoder. */
  encoder: string;
  jobs: number;
  /** Hears that the captions of all jobs before this one are there, or are not to be waited for. */
  onReady(jobs: number): void;
  /** What was set for the shard last. */
  settings(): { paused: boolean; priority: number };
};

/**
 * Has a shard's texts encoded before its pictures are painted, some seconds of texts at a time. Pictures wait for it while there is a
 * worker that encodes; where there is none they go ahead, since render workers of an earlier version and those with the text encoder
 * do without, and the texts wait for a worker beside them.
 */
export class CaptionsAhead {
  readonly #options: CaptionsAheadOptions;
  readonly #scope = new CancellationScope();
  #calls = 0;
  #isAwaited = true;

  constructor(options: CaptionsAheadOptions) {
    this.#options = options;
  }

  /** Until all are encoded, or it cannot go on: then whoever paints finds out what is wrong. */
  async run(): Promise<void> {
    try {
      await this.#scope.run(() => this.#encodeAll());
    } catch (error) {
      if (!isCancellation(error)) this.#goAhead();
    }
  }

  /** Nobody needs captions any more. */
  end(): void {
    this.#scope.cancel();
  }

  /** Has one job's texts encoded which were found missing; gives up after a while, for render workers may have changed meanwhile. */
  async again(index: number): Promise<void> {
    const waiting = new CancellationScope();
    await waiting.run(async () => {
      const encoded = this.#encode(index, index + 1).catch((error: unknown) => {
        if (isCancellation(error)) throw error;
        return sleep(60_000 * limits.CAPTION_MINUTES);
      });
      await Promise.race([encoded, sleep(60_000 * limits.CAPTION_MINUTES)]);
    });
    waiting.cancel();
  }

  async #encodeAll(): Promise<void> {
    const { jobs, onReady, settings } = this.#options;
    for (let from = 0; from < jobs; ) {
      await condition(() => !settings().paused);
      const encoding = this.#encode(from, jobs);
      await this.#whileSeen(encoding);
      from = (await encoding).until;
      if (this.#isAwaited) onReady(from);
    }
  }

  /** Until that is done, or nobody is there to do it. */
  async #whileSeen(encoding: Promise<unknown>): Promise<void> {
    let isDone = false;
    const end = (): void => {
      isDone = true;
    };
    encoding.then(end, end);
    while (this.#isAwaited && !isDone) {
      if ((await orchestrator.encodersSeen({ encoder: this.#options.encoder })) === 0 && !isDone) this.#goAhead();
      else await condition(() => isDone, 1_000 * limits.ENCODERS_SEEN_SECONDS);
    }
  }

  #goAhead(): void {
    this.#isAwaited = false;
    this.#options.onReady(this.#options.jobs);
  }

  #encode(from: number, to: number): Promise<EncodedCaptions> {
    const { input, encoder, settings } = this.#options;
    const { store, batch, shard, team } = input;
    this.#calls += 1;
    const { encodeCaptions } = proxyActivities<EncodeActivities>({
      taskQueue: encodeQueue(encoder),
      startToCloseTimeout: limits.ENCODE_START_TO_CLOSE,
      heartbeatTimeout: limits.RENDER_HEARTBEAT_TIMEOUT,
      retry: limits.RENDER_RETRY,
      cancellationType: ActivityCancellationType.TRY_CANCEL,
      summary: to - from === 1 ? `job ${from}` : `jobs ${from} to ${to - 1}`,
      // No job's: see indexOf in wanted-jobs.ts.
      activityId: `captions-${this.#calls}`,
      priority: {
        priorityKey: settings().priority,
        ...(team && { fairnessKey: team.name, fairnessWeight: team.weight }),
      },
    });
    return encodeCaptions({ store, batch, shard: shard.name, from, to, encoder });
  }
}
