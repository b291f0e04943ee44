import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import { rootCause } from '../domain/root-cause.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import type { BatchResult } from '../workflows/contract/batch.ts';
import type { BatchProgress } from '../workflows/contract/progress.ts';
import { pageWorkflowId } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { aboutBatch, batchHandle, describeBatch, isCancelRequested } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { inHandOf, type PictureInHand } from './in-hand.ts';
import { notBehind } from './not-behind.ts';
import { type Description, pendingWork } from './pending-work.ts';
import { batchProgress, NoOrchestrator } from './progress.ts';
import { heldUpBy, type Retrying } from './retrying.ts';

/**
 * How a round of a batch ended. A failed round could not be planned, could not write its manifest, or was terminated; it has
 * no manifest. Nor does a cancelled one whose store was unreachable; any other has the id of the workflow that makes its page.
 */
export type BatchEnd =
  | { state: 'completed'; result: BatchResult }
  | { state: 'cancelled'; withoutManifest?: string; sheetPage?: string }
  | { state: 'failed'; reason: string };

/** A batch's progress, what holds it up, and the images in hand. */
export type WatchedProgress = BatchProgress & {
  retrying: Retrying[];
  inHand: PictureInHand[];
  /** No orchestrator answers at the moment: everything except `retrying` and `inHand` is the last known state. Absent otherwise. */
  isSilent?: true;
  /** Why polling orchestrators get no work of this batch. */
  passedOver?: string;
};

/** Looking at pending work makes the server go through all scheduled images. If something holds the batch up, look every time. */
const LOOK_AT_WORK_MS = 5_000;

export type WatchOptions = {
  /**
   * Interval between queries to a running batch; default: one second. A query costs the server and the orchestrator
   * about as much as an image.
   */
  everyMs?: number | undefined;
  /** The last progress of an earlier call that was interrupted: counts do not fall behind it. */
  after?: BatchProgress | undefined;
};

/**
 * A batch's progress, once a second while it is running and immediately when it ends. Leaving the loop does not affect the
 * batch. Counts never run backwards. If no orchestrator answers, the last state is yielded again, marked as such.
 *
 * @throws UserError if Temporal does not know the batch
 * @throws NoOrchestrator if nobody has answered yet
 * @throws ServerUnreachable
 * @example
 * ```js
 * import { batchEnd, connect, watchBatch } from 'pixart-batch';
 *
 * const client = await connect();
 * for await (const { state, totals } of watchBatch(client, 'spring')) {
 *   console.log(state, totals.rendered + totals.reused, 'of', totals.jobs);
 * }
 * const end = await batchEnd(client, 'spring');
 * if (end.state === 'completed') console.log(end.result.manifest);
 * await client.close();
 * ```
 */
export async function* watchBatch(
  client: BatchClient,
  batch: string,
  { everyMs = 1_000, after }: WatchOptions = {},
): AsyncGenerator<WatchedProgress, BatchEnd> {
  const leaving = new AbortController();
  // The SDK leaves a listener behind with each call, and Node would print a warning in the middle of the screen.
  setMaxListeners(0, leaving.signal);
  // Resolves only once: if the batch is then retried, it is queried as often as before.
  let isOver = false;
  const ended = endOrSilence(client, batch, leaving.signal).then(() => {
    isOver = true;
  });
  const pause = async (): Promise<void> => {
    const slept = sleep(everyMs, undefined, { signal: leaving.signal });
    await (isOver ? slept : Promise.race([slept, ended]));
  };
  const work = new WorkWatch(client, batch);
  let last: BatchProgress | null = null;
  try {
    for (; ; await pause()) {
      const description = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
      const running = description.status.name === 'RUNNING';
      let passedOver: string | null = null;
      const answer: BatchProgress | null = await batchProgress(client, batch).catch((error) => {
        if (running && !(last !== null && error instanceof NoOrchestrator)) throw error;
        if (error instanceof NoOrchestrator) passedOver = error.why;
        return null;
      });
      if (answer !== null) last = notBehind(answer, last ?? after);
      if (!running) {
        if (answer !== null) yield { ...last!, retrying: [], inHand: [] };
        return await batchEnd(client, batch);
      }
      yield {
        ...last!,
        ...(isCancelRequested(description) && { state: 'stopping' }),
        ...(await work.seen(description.raw)),
        ...(answer === null && { isSilent: true }),
        ...(passedOver !== null && { passedOver }),
      };
    }
  } finally {
    leaving.abort();
  }
}

/** Resolves when the server says that the batch has ended; never, if the server fails: callers also poll. */
async function endOrSilence(client: BatchClient, batch: string, leaving: AbortSignal): Promise<void> {
  try {
    await client.temporal.withAbortSignal(leaving, () => batchHandle(client, batch).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) await new Promise(() => {});
  }
}

type SeenWork = Pick<WatchedProgress, 'retrying' | 'inHand'>;

/** Looks at intervals at what holds a batch up and which images are in hand. */
class WorkWatch {
  readonly #client: BatchClient;
  readonly #batch: string;
  #latest: SeenWork = { retrying: [], inHand: [] };
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(client: BatchClient, batch: string) {
    this.#client = client;
    this.#batch = batch;
  }

  async seen(raw: Description['raw']): Promise<SeenWork> {
    const now = performance.now();
    if (this.#latest.retrying.length > 0 || now - this.#lookedAt >= LOOK_AT_WORK_MS) {
      this.#lookedAt = now;
      const work = await pendingWork(this.#client, raw);
      const [retrying, inHand] = await Promise.all([
        heldUpBy(this.#client, this.#batch, work),
        inHandOf(this.#client, work.activities),
      ]);
      this.#latest = { retrying, inHand };
    }
    return this.#latest;
  }
}

/** Waits until the batch has ended. @throws UserError if Temporal does not know the batch */
export async function batchEnd(client: BatchClient, batch: string): Promise<BatchEnd> {
  try {
    const result: BatchResult = await aboutBatch(client, batch, () => batchHandle(client, batch).result());
    return { state: 'completed', result };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure) return cancelledEnd(client, batch);
    return { state: 'failed', reason: withoutSecrets(rootCause(error).message) };
  }
}

async function cancelledEnd(client: BatchClient, batch: string): Promise<BatchEnd> {
  const [{ round, withoutManifest }, { raw }] = await Promise.all([
    describeBatch(client, batch),
    aboutBatch(client, batch, () => batchHandle(client, batch).describe()),
  ]);
  if (withoutManifest !== null) return { state: 'cancelled', withoutManifest };
  const sheetPage = pageWorkflowId({ batch, round }, raw.workflowExecutionInfo?.firstRunId ?? '');
  const isThere = await client.temporal.workflow
    .getHandle(sheetPage)
    .describe()
    .then(() => true, isUnknown);
  return { state: 'cancelled', ...(isThere && { sheetPage }) };
}

/** Batches of earlier versions had no page, and servers forget. @throws any other error */
function isUnknown(error: unknown): false {
  if (error instanceof WorkflowNotFoundError) return false;
  throw error;
}

/** What is known about the page of an ended batch, from its result or its end. */
type WithPage = { sheetPage?: string };

/** Waits until the review page of a batch has been made, or has failed. */
export async function reviewPageEnd(client: BatchClient, { sheetPage }: WithPage): Promise<void> {
  if (sheetPage === undefined) return;
  await client.temporal.workflow.result(sheetPage).catch(() => undefined);
}

/** The object name of a batch's review page; `null` while it is being made, or if it could not be. */
export async function reviewPage(client: BatchClient, { sheetPage }: WithPage): Promise<string | null> {
  if (sheetPage === undefined) return null;
  const page = client.temporal.workflow.getHandle<Workflows['makeSheetPage']>(sheetPage);
  const { status } = await page.describe();
  return status.name === 'COMPLETED' ? page.result() : null;
}

/** `false` while it is being made, or if it could not be. */
export const isReviewPageMade = async (client: BatchClient, result: WithPage): Promise<boolean> =>
  (await reviewPage(client, result)) !== null;
