import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type AuditedAction, beginAudit, type EndAudit, endAudited, type TellAudit } from '../records/audit.ts';
import { isRefusal, openStore, shownPlace, storeKind } from '../store/index.ts';
import type { BatchClient } from './connect.ts';

/** A store that is away is asked for minutes, and a batch that is to stop should not go on for so long. */
const PATIENCE_MS = 10_000;

/**
 * As `audited`, for orders about work that runs or is scheduled: these are carried out where the store does not take a line, too, and a
 * warning says so. Whoever wants a batch stopped wants it most when its store is in trouble. Temporal's history has who gave the order.
 *
 * @param url of the store
 * @throws what `act` throws
 */
export async function auditedControl<T>(
  client: BatchClient,
  url: string,
  action: AuditedAction,
  act: (tell: TellAudit) => Promise<T>,
): Promise<T> {
  const end = await begun(url, action);
  if (typeof end !== 'string') return endAudited(end, act);
  client.warn(`${action.action} leaves no audit line in the store: ${end}`);
  return act(() => {});
}

/** Why there is no line, or what ends it. */
async function begun(url: string, action: AuditedAction): Promise<EndAudit | string> {
  if (storeKind(url) === null) return 'nobody knows its store';
  if (isElsewhere(url, action)) return `${shownPlace(url)} is not on this machine`;
  const writing = openStore(url).then((store) => beginAudit(store, action));
  const written = writing.catch((error: unknown) => {
    if (isRefusal(error)) return error.message;
    throw error;
  });
  const timer = new AbortController();
  const late = sleep(PATIENCE_MS, `${shownPlace(url)} does not answer within ${PATIENCE_MS / 1_000} s`, timer);
  return Promise.race([written, late]).finally(() => timer.abort());
}

/** A folder is made by whoever writes first. Where it is not here, though a batch has written to it, that is another machine's. */
const isElsewhere = (url: string, { action }: AuditedAction): boolean =>
  storeKind(url) === 'folder' && action !== 'schedule-create' && !existsSync(fileURLToPath(url));
