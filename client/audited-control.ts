import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuditedAction, beginAudit, type EndAudit, endAudited, type TellAudit } from '../records/audit.ts';
import { isRefusal, openStore, shownPlace, storeKind } from '../store/index.ts';
import type { BatchClient } from './connect.ts';

/** Calls to an unreachable store are retried for minutes, and stopping a batch should not wait that long. */
const PATIENCE_MS = 10_000;

/**
 * Like `audited`, for commands about running or scheduled work: they are carried out even if the store does not accept the
 * audit line, with a warning. Stopping a batch matters most when its store is in trouble, and Temporal's history also
 * records who did it.
 *
 * @param url the store
 * @throws whatever `act` throws
 */
export async function auditedControl<T>(
  client: BatchClient,
  url: string,
  action: AuditedAction,
  act: (tell: TellAudit) => Promise<T>,
): Promise<T> {
  const end = await begun(url, action);
  if (typeof end !== 'string') return endAudited(end, act);
  client.warn(`${action.action} left no audit line in the store: ${end}`);
  return act(() => {});
}

/** The function that completes the audit line, or why there is none. */
async function begun(url: string, action: AuditedAction): Promise<EndAudit | string> {
  if (storeKind(url) === null) return 'its store is unknown';
  if (isElsewhere(url, action)) return `${shownPlace(url)} is not on this machine`;
  const writing = openStore(url).then((store) => beginAudit(store, action));
  const written = writing.catch((error: unknown) => {
    if (isRefusal(error)) return error.message;
    throw error;
  });
  const timer = new AbortController();
  const late = sleep(PATIENCE_MS, `${shownPlace(url)} did not answer within ${PATIENCE_MS / 1_000} s`, timer);
  return Promise.race([written, late]).finally(() => timer.abort());
}

/** The first writer creates the folder. If a batch has written to it and it is missing, it is on another machine. */
const isElsewhere = (url: string, { action }: AuditedAction): boolean =>
  storeKind(url) === 'folder' && action !== 'schedule-create' && !existsSync(fileURLToPath(url));
