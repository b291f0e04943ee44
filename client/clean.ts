import type { SeenBatch } from '../cleaning/choose-batches.ts';
import { type Cleaned, cleanStore as sweep } from '../cleaning/clean-store.ts';
import { UserError } from '../domain/user-error.ts';
import { type AuditDetails, audited } from '../records/audit.ts';
import { DamagedRecord } from '../records/damaged.ts';
import { type ObjectStore, openStore, storeUrl, USE_NOTED_MS } from '../store/index.ts';
import { findAnyBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { keptBatch } from './kept-batch.ts';
import { isSameStore } from './last-round.ts';

const DAY_MS = 24 * 3_600_000;

/** Longer than the user of an object may take to record its use. */
const LEAST_UNUSED_MS = 2 * USE_NOTED_MS;

export type CleanRequest = {
  /** A folder, a `file:` or a `gs://` URL. */
  store: string;
  /** Remove batches whose folders were last written to longer ago than this, in milliseconds; default: no batches. */
  batchesOlderThanMs?: number | undefined;
  /** How many batches of each catalog to keep, the newest first. */
  keepLast?: number | undefined;
  /** Ids of batches to keep; `*` matches any characters. */
  keep?: readonly string[] | undefined;
  /** Keep unneeded objects for this long after they were last made or used, in milliseconds; default: 7 days, minimum: 2 days. */
  objectsUnusedForMs?: number | undefined;
  /** Remove the files. Otherwise nothing is written, and the result says what would go. */
  remove?: boolean | undefined;
  onRemoved?: (() => void) | undefined;
  /** Stops between two files; the next call removes the rest. */
  signal?: AbortSignal | undefined;
};

/** What was or would be removed, by kind; `batches` by name; `kept` lists batches that are old enough but kept, with the reason. */
export type CleanResult = Cleaned;

/**
 * Removes from a store what is no longer needed: batches, by age and keep rules; shared objects that no other batch
 * needs; old checkpoints, captions and damaged files. Batches may run meanwhile. Removals leave an audit line.
 *
 * @param client connected to the server that runs this store's batches; without one, batches whose last round has no
 * manifest are kept
 * @throws UserError for a request that makes no sense; store errors
 * @example
 * ```js
 * import { cleanStore, connect } from 'pixart-batch';
 *
 * const client = await connect();
 * const { batches, counts } = await cleanStore(client, { store: 'out', batchesOlderThanMs: 90 * 86_400_000 });
 * console.log(`${batches.length} batches and ${counts.objects.files} objects would go`);
 * await client.close();
 * ```
 */
export async function cleanStore(client: BatchClient | null, request: CleanRequest): Promise<CleanResult> {
  const { batchesOlderThanMs, keepLast = 0, keep = [], remove = false, onRemoved, signal } = request;
  const { objectsUnusedForMs = 7 * DAY_MS } = request;
  checkRequest({ ...request, objectsUnusedForMs });
  const store = await openStore(storeUrl(request.store));
  const rules = batchesOlderThanMs === undefined ? null : { olderThanMs: batchesOlderThanMs, keep, keepLast };
  const whyBusy = (batch: SeenBatch) => whyBatchStays(client, store, batch);
  const cleaning = { rules, objectsUnusedForMs, whyBusy, remove, onRemoved, signal, now: Date.now() };
  if (!remove) return sweep(store, cleaning);
  const details: AuditDetails = {
    objectsUnusedForMs,
    ...(rules && { batchesOlderThanMs: rules.olderThanMs, keepLast, keep: keep.join(' ') }),
  };
  return audited(store, { action: 'clean', details }, async (tell) => {
    const cleaned = await sweep(store, cleaning);
    tell(auditDetails(cleaned));
    return cleaned;
  });
}

const auditDetails = ({ counts, batches }: Cleaned): AuditDetails => ({
  batches: batches.length,
  batchNames: batches.map(({ batch }) => batch).join(' '),
  ...Object.fromEntries(Object.entries(counts).map(([kind, { files }]) => [`${kind}Files`, files])),
});

function checkRequest({ batchesOlderThanMs, keepLast = 0, keep = [], objectsUnusedForMs = 0 }: CleanRequest): void {
  if (batchesOlderThanMs === undefined && (keepLast > 0 || keep.length > 0)) {
    throw new UserError(
      'clean: expected an age with the keep rules, found none: no batch is removed without one, so give --batches-older-than 90d too',
    );
  }
  if (objectsUnusedForMs >= LEAST_UNUSED_MS) return;
  throw new UserError(
    `clean: expected objects to stay for at least ${LEAST_UNUSED_MS / DAY_MS} days after their last use (--objects-unused-for), found less: ` +
      'uses are recorded once a day, and batches that are starting now may need them',
  );
}

/** The server knows best; for a batch that it has forgotten, the store shows whether the last round has ended. */
async function whyBatchStays(
  client: BatchClient | null,
  store: ObjectStore,
  { batch, isBeingRemoved }: SeenBatch,
): Promise<string | null> {
  const known = client && (await findAnyBatch(client, batch));
  if (known?.endedAt === null) return `it is ${known.state}`;
  // A removal that has begun may already have removed the manifest.
  if (isBeingRemoved || (known && isSameStore(known.store, store.url))) return null;
  try {
    if ((await keptBatch(store.url, batch))?.state !== 'unfinished') return null;
  } catch (error) {
    if (error instanceof DamagedRecord) return error.message;
    throw error;
  }
  return (
    'its last round has no manifest, and no server says that it has ended: name the server that ran it with --address, or ' +
    `finish it with "retry ${batch}", which writes the manifest`
  );
}
