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
export type History = { workflowId: string; runId: string; type: string; isRunning: boolean };

/**
 * All that the server remembers of a batch: its rounds and their runs, its shards, its review page and what it told a webhook, and the run of the
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

/** `null` where the server does not remember it. */
async function describeRun({ listings }: BatchClient, workflowId: string, runId: string): Promise<History | null> {
  try {
    return historyOf(await listings.workflow.getHandle(workflowId, runId).describe());
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** A message to a webhook may be tried for days; it is given up with its history. */
const MAY_RUN: ReadonlySet<string> = new Set(['deliverWebhook' satisfies keyof Workflows]);

/** @throws UserError where the batch, or something that writes into its folder, still runs */
export function checkEnded(batch: string, histories: readonly History[]): void {
  const running = histories.filter(({ isRunning, type }) => isRunning && !MAY_RUN.has(type));
  if (running.length === 0) return;
  if (running.some(({ type }) => type === ('renderBatch' satisfies keyof Workflows))) {
    throw new UserError(
      `batch ${batch} cannot be forgotten: it still runs. Wait for its end, or stop it first: npx pixart-batch cancel ${batch} --wait`,
    );
  }
  const what = [...new Set(running.map(({ workflowId }) => workflowId))].join(', ');
  throw new UserError(
    `batch ${batch} cannot be forgotten yet: it has ended, and an orchestrator still writes for it (${what}). Try again when that is done`,
  );
}

/**
 * A server forgets a run that ended long ago within a second, and one that has just ended after half a minute: its queues are acknowledged every
 * 30 seconds (seen with servers 1.29 and 1.32).
 */
const GONE_WITHIN_MS = 120_000;
const PAUSE_MS = 500;

/**
 * Has the server delete all that it remembers of a batch, and waits until it has.
 *
 * @returns the runs that it has taken on to delete, and not deleted within two minutes
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
    // Somebody else was quicker, or the listing is behind.
    if (grpcCause(error) !== GRPC.NOT_FOUND) throw error;
  }
}

/** As Temporal's API numbers it. */
const ARCHIVAL_ENABLED = 2;

/** Where the namespace keeps histories after the server has forgotten them: deleting them there is up to whoever keeps that place. */
export async function archivesOf({ temporal, namespace }: BatchClient): Promise<string[]> {
  const { config } = await temporal.workflowService.describeNamespace({ namespace });
  const { historyArchivalState, historyArchivalUri, visibilityArchivalState, visibilityArchivalUri } = config ?? {};
  return [
    ...(historyArchivalState === ARCHIVAL_ENABLED ? [historyArchivalUri ?? ''] : []),
    ...(visibilityArchivalState === ARCHIVAL_ENABLED ? [visibilityArchivalUri ?? ''] : []),
  ];
}
