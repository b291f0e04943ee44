import { Context } from '@temporalio/activity';
import { CancelledFailure } from '@temporalio/common';
import type { Job } from '../domain/job.ts';
import { textsOf } from '../models/pixart/index.ts';
import { RendererBug, RendererDied, RenderFault } from '../models/renderer/index.ts';
import { DamagedRecord } from '../records/damaged.ts';
import { objectName } from '../records/layout.ts';
import { type ObjectStore, type OpenStore, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { EncodeCaptionsInput, EncodedCaptions } from '../workflows/contract/activities.ts';
import type { WaitingHeartbeat } from '../workflows/contract/heartbeats.ts';
import { ENCODE_SECONDS } from '../workflows/contract/limits.ts';
import { attemptFailure } from './attempt-failure.ts';
import { createJobReader } from './job-reader.ts';
import type { KeptCaptions } from './kept-captions.ts';
import { NEVER_STOPS, type WorkerStop, WorkerStopping } from './render-stop.ts';
import { StoreTurns } from './store-turns.ts';
import { StoreWatch } from './store-watch.ts';

export type EncodeCaptionsDependencies = {
  openStore: OpenStore;
  captions: KeptCaptions;
  /** When this process is told to stop or to drain: then the text in hand is the last one. */
  stop?: WorkerStop | undefined;
};

/** The answer to a heartbeat is how a cancellation arrives. */
const HEARTBEAT_MS = 2_000;

/** Jobs whose captions and pictures are looked for at once. */
const LOOK_AHEAD = 16;

/** The end of a call, if time allows. It doubles: the first images start early, and there are few calls. */
const endOf = ({ from, to }: EncodeCaptionsInput): number => Math.min(to, from + Math.max(LOOK_AHEAD, from));

/**
 * The activity that puts the captions of a shard's next jobs into the store: for some seconds, and at most as many as the
 * shard has before them, but 16 anyway. Texts that are stored already are skipped, and so are those of existing pictures.
 * Heartbeats report a store that does not answer.
 *
 * The activity throws ApplicationFailure, retryable where what went wrong may pass by itself; and CancelledFailure.
 */
export function createEncodeCaptions({ openStore, captions, stop = NEVER_STOPS }: EncodeCaptionsDependencies) {
  const readJob = createJobReader();
  const turns = new StoreTurns();

  async function encode(open: OpenStore, input: EncodeCaptionsInput, cancelled: AbortSignal): Promise<EncodedCaptions> {
    if (input.encoder !== captions.encoder) throw new EncoderMismatch(input.encoder, captions.encoder);
    const store = await open(input.store);
    const until = performance.now() + 1_000 * ENCODE_SECONDS;
    const kept = new Set<string>();
    let encoded = 0;
    const end = endOf(input);
    for (let from = input.from; from < end; from += LOOK_AHEAD) {
      const count = Math.min(LOOK_AHEAD, end - from);
      const jobs = await Promise.all(Array.from({ length: count }, (_, i) => readJob(store, input.shard, from + i)));
      const lacking = await Promise.all(jobs.map((job) => lackingTexts(captions, store, job, kept, input.isMissed)));
      for (const [i, texts] of lacking.entries()) {
        for (const text of texts) {
          if (kept.has(text)) continue;
          await captions.keep(store, text, cancelled);
          kept.add(text);
          encoded += 1;
        }
        if (performance.now() > until || stop.signal.aborted || stop.drain.aborted)
          return { until: from + i + 1, encoded };
      }
    }
    return { until: end, encoded };
  }

  return async function encodeCaptions(input: EncodeCaptionsInput): Promise<EncodedCaptions> {
    const context = Context.current();
    const cancelled = AbortSignal.any([context.cancellationSignal, stop.over]);
    const watch = new StoreWatch(openStore, turns);
    const beat = (): void =>
      context.heartbeat({ waitsFor: watch.silence()?.message ?? null } satisfies WaitingHeartbeat);
    const timer = setInterval(beat, HEARTBEAT_MS);
    try {
      const found = await watch.run(() => encode(watch.open, input, cancelled), cancelled, 'stop');
      if (found.encoded > 0)
        context.log.info('texts encoded', { texts: found.encoded, jobs: `${input.from}-${found.until - 1}` });
      return found;
    } catch (error) {
      throw attemptFailure(isShutdown(error) ? new WorkerStopping() : error, mayPass);
    } finally {
      clearInterval(timer);
    }
  };
}

/** A job's texts that nobody has encoded. There are none where its picture is there, unless they were missed all the same. */
async function lackingTexts(
  captions: KeptCaptions,
  store: ObjectStore,
  job: Job,
  kept: Set<string>,
  isMissed: boolean | undefined,
): Promise<string[]> {
  const lacking: string[] = [];
  for (const text of textsOf(job)) {
    if (kept.has(text)) continue;
    if (await captions.isKept(store, text)) kept.add(text);
    else lacking.push(text);
  }
  if (lacking.length === 0 || isMissed) return lacking;
  return (await store.stat(objectName(job.renderKey, job.format))) === null ? lacking : [];
}

const isShutdown = (error: unknown): boolean =>
  error instanceof CancelledFailure && error.message === 'WORKER_SHUTDOWN';

/** A plan that the orchestrator has read may be damaged on this worker's way to it alone. */
const PASSING = [RendererDied, RenderFault, WorkerStopping, StoreUnavailable, StoreDenied, DamagedRecord];

const mayPass = (error: unknown): boolean =>
  PASSING.some((kind) => error instanceof kind) && !(error instanceof RendererBug);

/** Queues by encoder keep such work away; this makes sure. */
class EncoderMismatch extends Error {
  override readonly name = 'EncoderMismatch';

  constructor(expected: string, found: string) {
    super(`text encoder: expected digest ${expected}, found ${found} on this worker`);
  }
}
