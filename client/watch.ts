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
import { type Retrying, retryingOf } from './retrying.ts';

/**
 * How a round of a batch ended. A failed one could not be planned, could not write its manifest, or was terminated by a person: it has no
 * manifest. Nor has a cancelled one whose store was away; of any other the id is known of the workflow that makes its page.
 */
export type BatchEnd =
  | { state: 'completed'; result: BatchResult }
  | { state: 'cancelled'; withoutManifest?: string; sheetPage?: string }
  | { state: 'failed'; reason: string };

/** A batch's progress, what holds it up, and the pictures that are painted. */
export type WatchedProgress = BatchProgress & {
  retrying: Retrying[];
  inHand: PictureInHand[];
  /** No orchestrator answers at the moment: all but `retrying` and `inHand` is what the batch told last. Missing otherwise. */
  isSilent?: true;
  /** Why, where orchestrators ask for work and get none of this batch. */
  passedOver?: string;
};

/** To look at its work the server goes through all images that are scheduled. Where something holds a batch up, it is looked at every time. */
const LOOK_AT_WORK_MS = 5_000;

export type WatchOptions = {
  /** From one look at a batch that runs to the next; a second unless given. A look costs the server and the orchestrator what an image does. */
  everyMs?: number | undefined;
  /** What was seen of the batch by an earlier call that something ended: counts do not fall behind it. */
  after?: BatchProgress | undefined;
};

/**
 * A batch's progress, once a second while it runs and at once when it has ended. Leaving the loop leaves the batch alone. Counts
 * never run backwards. Where no orchestrator answers any more, what was told last is given again, marked as that.
 *
 * @throws UserError where Temporal does not know the batch
 * @throws NoOrchestrator where nobody has answered yet
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
  // The SDK leaves a listener behind with each call, and Node would warn of it in the middle of the screen.
  setMaxListeners(0, leaving.signal);
  // Heard once: a batch that is retried then runs on, and is looked at as often as before.
  let isOver = false;
  const ended = endOrSilence(client, batch, leaving.signal).then(() => {
    isOver = true;
  });
  const pause = async (): Promise<void> => {
    const slept = sleep(everyMs, undefined, { signal: leaving.signal });
    await (isOver ? slept : Promise.race([slept, ended]));
  };
  const work = new WorkWatch(client);
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

/** Resolves when the server says that the batch has ended, and never where it says nothing more: whoever waits looks now and then. */
async function endOrSilence(client: BatchClient, batch: string, leaving: AbortSignal): Promise<void> {
  try {
    await client.temporal.withAbortSignal(leaving, () => batchHandle(client, batch).result());
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) await new Promise(() => {});
  }
}

type SeenWork = Pick<WatchedProgress, 'retrying' | 'inHand'>;

/** What holds a batch up and what is painted, looked at now and then. */
class WorkWatch {
  readonly #client: BatchClient;
  #latest: SeenWork = { retrying: [], inHand: [] };
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(client: BatchClient) {
    this.#client = client;
  }

  async seen(raw: Description['raw']): Promise<SeenWork> {
    const now = performance.now();
    if (this.#latest.retrying.length > 0 || now - this.#lookedAt >= LOOK_AT_WORK_MS) {
      this.#lookedAt = now;
      const pending = await pendingWork(this.#client, raw);
      const [retrying, inHand] = await Promise.all([
        retryingOf(this.#client, pending),
        inHandOf(this.#client, pending),
      ]);
      this.#latest = { retrying, inHand };
    }
    return this.#latest;
  }
}

/** Waits until the batch has ended. @throws UserError where Temporal does not know the batch */
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

/** A batch of an earlier version had no page, and a server forgets. @throws what else went wrong */
function isUnknown(error: unknown): false {
  if (error instanceof WorkflowNotFoundError) return false;
  throw error;
}

/** What is known of the page of a batch that has ended, from its result or its end. */
type WithPage = { sheetPage?: string };

/** Waits until the page to review a batch with is there, or will not be. */
export async function reviewPageEnd(client: BatchClient, { sheetPage }: WithPage): Promise<void> {
  if (sheetPage === undefined) return;
  await client.temporal.workflow.result(sheetPage).catch(() => undefined);
}

/** The object name of the page to review a batch with; `null` while it is being made, and where it could not be. */
export async function reviewPage(client: BatchClient, { sheetPage }: WithPage): Promise<string | null> {
  if (sheetPage === undefined) return null;
  const page = client.temporal.workflow.getHandle<Workflows['makeSheetPage']>(sheetPage);
  const { status } = await page.describe();
  return status.name === 'COMPLETED' ? page.result() : null;
}

/** `false` while it is being made, and where it could not be. */
export const isReviewPageMade = async (client: BatchClient, result: WithPage): Promise<boolean> =>
  (await reviewPage(client, result)) !== null;
