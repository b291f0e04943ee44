import { setTimeout as sleep } from 'node:timers/promises';
import {
  type WorkflowExecutionDescription,
  type WorkflowExecutionInfo,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { GRPC } from '../connection/grpc.ts';
import { UserError } from '../domain/user-error.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import type { Workflows } from '../workflows/contract/workflows.ts';
import type { BatchClient } from './connect.ts';
import { grpcCause } from './server-trouble.ts';

/** One run of a workflow. */
type History = { workflowId: string; runId: string; type: string; isRunning: boolean };

/**
 * All runs that the server remembers of a batch: of its rounds, shards, review page and webhook messages, and of the
 * schedule that started it.
 */
export async function historiesOf(client: BatchClient, batch: string): Promise<History[]> {
  const id = batchWorkflowId(batch);
  const query = `WorkflowId = '${id}' OR WorkflowId STARTS_WITH '${id}/'`;
  const found: History[] = [];
  for await (const info of client.listings.workflow.list({ query })) {
    found.push(historyOf(info));
    const parent = info.workflowId === id ? info.parentExecution : undefined;
    const run = parent?.workflowId && parent.runId ? await describeRun(client, parent.workflowId, parent.runId) : null;
    if (run && run.type === ('scheduledBatch' satisfies keyof Workflows)) found.push(run);
  }
  return found;
}

function historyOf(info: WorkflowExecutionInfo | WorkflowExecutionDescription): History {
  const { workflowId, runId, type, status } = info;
  return { workflowId, runId, type, isRunning: status.name === 'RUNNING' };
}

/** `null` if the server does not remember it. */
async function describeRun({ listings }: BatchClient, workflowId: string, runId: string): Promise<History | null> {
  try {
    return historyOf(await listings.workflow.getHandle(workflowId, runId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** A webhook message may be retried for days; forgetting the batch drops it. */
const MAY_RUN: ReadonlySet<string> = new Set(['deliverWebhook' satisfies keyof Workflows]);

/** @throws UserError if the batch, or a workflow that writes into its folder, is still running */
export function checkEnded(batch: string, histories: readonly History[]): void {
  const running = histories.filter(({ isRunning, type }) => isRunning && !MAY_RUN.has(type));
  if (running.length === 0) return;
  if (running.some(({ type }) => type === ('renderBatch' satisfies keyof Workflows))) {
    throw new UserError(
      `batch ${batch} cannot be forgotten: it is still running. Wait for its end, or stop it first: npx pixart-batch cancel ${batch} --wait`,
    );
  }
  const what = [...new Set(running.map(({ workflowId }) => workflowId))].join(', ');
  throw new UserError(
    `batch ${batch} cannot be forgotten yet: it has ended, but an orchestrator is still writing for it (${what}). Try again when that is done`,
  );
}

/**
 * A server deletes a run that ended long ago within a second, but one that has just ended takes half a minute: its queues are
 * acknowledged every 30 seconds (seen with servers 1.29 and 1.32).
 */
const GONE_WITHIN_MS = 120_000;
const PAUSE_MS = 500;

/**
 * Makes the server delete everything it remembers of a batch, and waits until it has.
 *
 * @returns the runs whose deletion it accepted but did not finish within two minutes
 */
export async function deleteHistories(client: BatchClient, batch: string): Promise<History[]> {
  const asked = new Map<string, History>();
  for (const deadline = Date.now() + GONE_WITHIN_MS; ; await sleep(PAUSE_MS)) {
    const listed = await historiesOf(client, batch);
    for (const history of listed) {
      if (!asked.has(history.runId)) await deleteRun(client, history);
      asked.set(history.runId, history);
    }
    for (const [runId, history] of asked) {
      const isThere =
        listed.some((other) => other.runId === runId) ||
        (await describeRun(client, history.workflowId, runId)) !== null;
      if (!isThere) asked.delete(runId);
    }
    if (asked.size === 0 || Date.now() > deadline) return [...asked.values()];
  }
}

async function deleteRun({ temporal, namespace }: BatchClient, { workflowId, runId }: History): Promise<void> {
  try {
    await temporal.workflowService.deleteWorkflowExecution({
      namespace,
      workflowExecution: { workflowId, runId },
    });
  } catch (error) {
    // Someone else deleted it first, or the listing lags.
    if (grpcCause(error) !== GRPC.NOT_FOUND) throw error;
  }
}

/** ARCHIVAL_STATE_ENABLED in Temporal's API. */
const ARCHIVAL_ENABLED = 2;

/** Where the namespace archives histories that the server has forgotten: only the owner of the archive can delete them there. */
export async function archivesOf({ temporal, namespace }: BatchClient): Promise<string[]> {
  const { config } = await temporal.workflowService.describeNamespace({ namespace });
  const { historyArchivalState, historyArchivalUri, visibilityArchivalState, visibilityArchivalUri } = config ?? {};
  return [
    ...(historyArchivalState === ARCHIVAL_ENABLED ? [historyArchivalUri ?? ''] : []),
    ...(visibilityArchivalState === ARCHIVAL_ENABLED ? [visibilityArchivalUri ?? ''] : []),
  ];
}
