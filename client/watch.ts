import { setTimeout as sleep } from 'node:timers/promises';
import { CancelledFailure, WorkflowFailedError } from '@temporalio/client';
import { rootCause } from '../domain/root-cause.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import type { BatchResult } from '../workflows/contract/batch.ts';
import type { BatchProgress } from '../workflows/contract/progress.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import { aboutBatch, batchHandle, describeBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { batchProgress, NoOrchestrator } from './progress.ts';
import { type Description, type Retrying, retryingOf } from './retrying.ts';

/**
 * How a round of a batch ended. A failed one could not be planned, could not write its manifest, or was terminated by a person: it has no
 * manifest. Nor has a cancelled one whose store was away.
 */
export type BatchEnd =
  | { state: 'completed'; result: BatchResult }
  | { state: 'cancelled'; withoutManifest?: string }
  | { state: 'failed'; reason: string };

/** A batch's progress, and what holds it up. */
export type WatchedProgress = BatchProgress & { retrying: Retrying[] };

/** To look what holds a batch up, the server goes through all images that are scheduled. Where something does, it is looked at every time. */
const LOOK_FOR_TROUBLE_MS = 5_000;

export type WatchOptions = {
  /** From one look at a batch that runs to the next; a second unless given. A look costs the server and the orchestrator what an image does. */
  everyMs?: number | undefined;
};

/**
 * A batch's progress, once a second while it runs and at once when it has ended. Leaving the loop leaves the batch alone. A
 * moment without an orchestrator is waited out.
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
  { everyMs = 1_000 }: WatchOptions = {},
): AsyncGenerator<WatchedProgress, BatchEnd> {
  const leaving = new AbortController();
  // Heard once: a batch that is retried then runs on, and is looked at as often as before.
  let isOver = false;
  const ended = endOrSilence(client, batch, leaving.signal).then(() => {
    isOver = true;
  });
  const pause = async (): Promise<void> => {
    const slept = sleep(everyMs, undefined, { signal: leaving.signal });
    await (isOver ? slept : Promise.race([slept, ended]));
  };
  const trouble = new TroubleWatch(client);
  try {
    for (let answered = false; ; await pause()) {
      const { status, raw } = await aboutBatch(client, batch, () => batchHandle(client, batch).describe());
      const running = status.name === 'RUNNING';
      try {
        const progress = await batchProgress(client, batch);
        yield { ...progress, retrying: running ? await trouble.seen(raw) : [] };
        answered = true;
      } catch (error) {
        if (running && !(answered && error instanceof NoOrchestrator)) throw error;
      }
      if (!running) return await batchEnd(client, batch);
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

/** What holds a batch up, looked for now and then. */
class TroubleWatch {
  readonly #client: BatchClient;
  #latest: Retrying[] = [];
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(client: BatchClient) {
    this.#client = client;
  }

  async seen(raw: Description['raw']): Promise<Retrying[]> {
    const now = performance.now();
    if (this.#latest.length > 0 || now - this.#lookedAt >= LOOK_FOR_TROUBLE_MS) {
      this.#lookedAt = now;
      this.#latest = await retryingOf(this.#client, raw);
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
  const { withoutManifest } = await describeBatch(client, batch);
  return { state: 'cancelled', ...(withoutManifest !== null && { withoutManifest }) };
}

/** Waits until the page to review a batch with is there, or will not be. */
export async function reviewPageEnd(client: BatchClient, { sheetPage }: BatchResult): Promise<void> {
  if (sheetPage === undefined) return;
  await client.temporal.workflow.result(sheetPage).catch(() => undefined);
}

/** The object name of the page to review a batch with; `null` while it is being made, and where it could not be. */
export async function reviewPage(client: BatchClient, { sheetPage }: BatchResult): Promise<string | null> {
  if (sheetPage === undefined) return null;
  const page = client.temporal.workflow.getHandle<Workflows['makeSheetPage']>(sheetPage);
  const { status } = await page.describe();
  return status.name === 'COMPLETED' ? page.result() : null;
}

/** `false` while it is being made, and where it could not be. */
export const isReviewPageMade = async (client: BatchClient, result: BatchResult): Promise<boolean> =>
  (await reviewPage(client, result)) !== null;
