import type { AuditEntry, AuditQuery } from '../records/audit-trail.ts';
import { auditTrail } from '../records/audit-trail.ts';
import { openStore, storeUrl } from '../store/index.ts';

/**
 * Reads the audit trail of a store, oldest entries first. No server is needed.
 *
 * @param store a folder, a `file:` URL or a `gs://bucket/prefix`
 * @param warn receives damaged lines; default: a process warning
 * @throws UserError for a store that cannot be used
 * @example
 * ```js
 * import { readAudit } from 'pixart-batch';
 *
 * for await (const { at, who, action, batch, ended } of readAudit('out', { since: '2026-11-01' })) {
 *   console.log(`${at} ${who.user}@${who.host} ${action} ${batch}: ${ended?.outcome}`);
 * }
 * ```
 */
export async function* readAudit(
  store: string,
  query: AuditQuery = {},
  warn: (message: string) => void = (message) => process.emitWarning(message),
): AsyncGenerator<AuditEntry> {
  yield* auditTrail(await openStore(storeUrl(store)), query, warn);
}
