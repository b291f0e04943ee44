import type { RowFilter } from '../domain/row-filter.ts';
import { UserError } from '../domain/user-error.ts';
import { objectSeal } from '../encryption/object-seal.ts';
import type { Kind, Left, Survey } from '../forgetting/index.ts';
import type { Bundle } from '../models/pixart/bundle.ts';
import { openBundles } from '../models/pixart/installed-bundles.ts';
import { audited } from '../records/audit.ts';
import { auditTrail } from '../records/audit-trail.ts';
import { orWarn, type Warn } from '../records/damaged.ts';
import { batchFolder, checkBatchId } from '../records/layout.ts';
import { roundsOf } from '../records/rounds.ts';
import { type ObjectStore, openStore, shownPlace, storeUrl } from '../store/index.ts';
import { findAnyBatch, unknownBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { archivesOf, checkEnded, deleteHistories, historiesOf } from './histories.ts';
import { isSameStore } from './last-round.ts';
import { listSchedules } from './list-schedules.ts';

/** The prompts to forget: of a whole batch, of matching rows in all batches of the store, or of matching rows in one batch. */
export type ForgetRequest = {
  /** A folder, a `file:` or a `gs://` URL. */
  store: string;
  batch?: string | undefined;
  /** Selects rows that match any of these. */
  where?: readonly RowFilter[] | undefined;
  /** Where workers keep checkpoints, if not in the store. */
  scratch?: string | undefined;
  /** A bundle that is not installed: needed to recognise its stored captions by their texts. */
  bundle?: Bundle | undefined;
  /** Without it nothing is changed, and the result says what would be. */
  apply?: boolean | undefined;
  onStep?: ((done: number, steps: number) => void) | undefined;
};

/** What was forgotten, or would be. */
export type Forgotten = {
  isApplied: boolean;
  /** `others` rows of the batch stay; if there are none, the whole batch goes. */
  batches: { batch: string; rows: number; others: number }[];
  /** Objects of the store, by kind. */
  removed: Record<Kind, number>;
  /** Records and sheets that are rewritten without the rows. */
  rewritten: number;
  /** Lines removed from other batches' tables of changes. */
  changes: number;
  /** Corrected catalogs of other batches that contain the value; they count as removed. */
  elsewhere: string[];
  /** Workflow runs. */
  histories: number;
  /** Batches that need some of the images, which therefore stay, with their prompts. */
  neededBy: { batch: string; pictures: number }[];
  /** Rows that stay although they have one of the prompts. */
  samePrompt: { batch: string; rows: number }[];
  /** Schedules that will read the catalog of a batch again, and their catalogs. */
  schedules: { name: string; catalog: string }[];
  /** Where the namespace archives histories. */
  archives: string[];
  /** What could not be removed, and why. */
  left: Left[];
  warnings: string[];
  /** The columns of the rows that were searched. */
  columns: string[];
};

/**
 * Removes prompts, their images and every record of them from the store, and the histories of their batches from the server.
 * A batch with other rows stays, and is then read from the store alone. This cannot be undone. If it is killed, the same
 * call finishes the job.
 *
 * @throws BatchUnknown if neither the server nor the store, or its audit trail, knows the named batch
 * @throws UserError if a batch is still running, is in another store, or cannot be read
 * @throws store errors, except refusals to delete: those are in the result
 * @example
 * ```js
 * import { connect, forget } from 'pixart-batch';
 *
 * const client = await connect();
 * const where = [{ column: 'customer', pattern: 'acme' }];
 * const { batches } = await forget(client, { store: 'out', where });
 * console.log(`${batches.length} batches have such rows`);
 * if (batches.length > 0) await forget(client, { store: 'out', where, apply: true });
 * await client.close();
 * ```
 */
export async function forget(client: BatchClient, request: ForgetRequest): Promise<Forgotten> {
  const { batch, where: filters = [] } = request;
  if (batch !== undefined) checkBatchId(batch);
  else if (filters.length === 0) throw new UserError('forget: expected a batch, or rows (--where column=value)');
  // Loaded late: it needs the models' tokenizers, which most users of the library do not.
  const { stepsOf, survey } = await import('../forgetting/index.ts');
  const store = await openStore(storeUrl(request.store));
  const scratch = request.scratch === undefined ? undefined : await openStore(storeUrl(request.scratch));
  const warnings: string[] = [];
  const warn = (message: string): void => void warnings.push(message);
  const bundles = [...(await openBundles()), ...(request.bundle ? [request.bundle] : [])];
  const seal = objectSeal(client.keyring, false);
  const found = await survey(store, { batch, filters, bundles, seal, scratch }, warn);
  const histories = await endedHistories(client, store, found);
  const told: Forgotten = {
    ...surveyed(found),
    isApplied: request.apply === true,
    histories,
    schedules: await schedulesOf(client, store, found),
    archives: histories === 0 ? [] : await archivesOf(client),
    left: leftAnyway(found),
    warnings,
  };
  const steps = stepsOf(found);
  if (batch !== undefined && steps + histories === 0) await checkKnown(client, store, batch, warn);
  if (request.apply !== true || steps + histories + found.begun.length === 0) return told;
  let done = 0;
  const onStep = (): void => request.onStep?.(++done, steps);
  const rows = found.rows.reduce((sum, { ids }) => sum + ids.size, 0);
  // Neither values nor prompts: this line outlives them.
  const columns = filters.map(({ column }) => column).join(', ');
  const details = {
    // All of them: once they are gone, only this line shows that they existed (checkKnown).
    batches: found.rows.map((of) => of.batch).join(' '),
    rows,
    ...(columns !== '' && { columns }),
  };
  return audited(store, { action: 'forget', ...(batch !== undefined && { batch }), details }, async (tell) => {
    const left = [...told.left, ...(await apply(client, store, found, onStep))];
    tell({ left: left.length });
    return { ...told, left };
  });
}

/** @throws BatchUnknown if there has never been such a batch: the audit trail names those that were removed */
async function checkKnown(client: BatchClient, store: ObjectStore, batch: string, warn: Warn): Promise<void> {
  // First: if the key of the server's record is lost, this is the proof that the batch is in this store.
  for await (const _ of store.list(batchFolder(batch))) return;
  if (await checkLiesHere(client, store, batch, false)) return;
  for await (const _ of auditTrail(store, { batch }, warn)) return;
  throw await unknownBatch(client, batch, `; expected it there or in ${shownPlace(store.url)}, found no trace of it`);
}

/** Works on the store while the server deletes, which takes it half a minute if a batch has just ended. */
async function apply(client: BatchClient, store: ObjectStore, found: Survey, onStep: () => void): Promise<Left[]> {
  const { beginForgetting, forgetRows } = await import('../forgetting/index.ts');
  await beginForgetting(store, found);
  const deleting = Promise.all(found.rows.map(({ batch }) => deleteHistories(client, batch)));
  deleting.catch(() => undefined);
  const left = await forgetRows(store, found, async () => (await deleting).flat().length > 0, onStep);
  const remembered = (await deleting).flat();
  return [...remembered.map(({ workflowId }) => ({ name: workflowId, why: NOT_YET })), ...left];
}

const NOT_YET = 'the server accepted the deletion of its history, but did not finish within two minutes';
/** @throws UserError if one of the batches is running or is in another store */
async function endedHistories(client: BatchClient, store: ObjectStore, { rows }: Survey): Promise<number> {
  let all = 0;
  for (const { batch, ids } of rows) {
    await checkLiesHere(client, store, batch, ids.size > 0);
    const histories = await historiesOf(client, batch);
    checkEnded(batch, histories);
    all += histories.length;
  }
  return all;
}

/**
 * Otherwise its histories would go, but its images would not. If the key needed to read the server's record is lost, rows
 * in the store are proof enough.
 *
 * @returns whether the server knows it
 */
async function checkLiesHere(
  client: BatchClient,
  store: ObjectStore,
  batch: string,
  hasRows: boolean,
): Promise<boolean> {
  const known = await findAnyBatch(client, batch);
  if (known === null) return false;
  if (isSameStore(known.store, store.url)) return true;
  if (known.keyMissing !== undefined) {
    if (hasRows) return true;
    throw new UserError(
      `batch ${batch}: expected its rows in ${shownPlace(store.url)}, found none, and the server's record of its store is encrypted with key ${known.keyMissing}: ` +
        'name its store with --store, or give this command that key',
    );
  }
  throw new UserError(
    `batch ${batch}: expected it in ${shownPlace(store.url)}, but the server says it is in ${shownPlace(known.store)}: name its store with --store`,
  );
}

function surveyed({ rows, removals, rewrites, elsewhere, changes, others, columns }: Survey) {
  const pictures = new Map<string, number>();
  for (const batches of others.neededBy.values()) {
    for (const batch of batches) pictures.set(batch, (pictures.get(batch) ?? 0) + 1);
  }
  const counts = Object.entries(removals).map(([kind, objects]) => [kind, objects.length]);
  return {
    batches: rows.map(({ batch, ids, others: stay }) => ({ batch, rows: ids.size, others: stay })),
    removed: Object.fromEntries(counts) as Forgotten['removed'],
    rewritten: [...rewrites.values()].flat().length,
    elsewhere,
    changes: changes.reduce((sum, { lines }) => sum + lines, 0),
    neededBy: [...pictures].map(([batch, count]) => ({ batch, pictures: count })),
    samePrompt: [...others.samePrompt].map(([batch, count]) => ({ batch, rows: count })),
    columns: [...columns],
  };
}

/** What this call can never remove. */
const leftAnyway = ({ unplanned, unread }: Survey): Left[] => [
  ...unplanned.map((batch) => ({
    name: `batches/${batch}/`,
    why: `it has a catalog but no plan, so its rows cannot be told apart: forget the whole batch (npx pixart-batch forget ${batch})`,
  })),
  ...unread.map((why) => ({ name: 'objects/', why })),
];

async function schedulesOf(client: BatchClient, store: ObjectStore, { rows }: Survey): Promise<Forgotten['schedules']> {
  const catalogs = new Set<string | undefined>();
  for (const { batch } of rows) {
    const rounds = await orWarn(
      () => {},
      '',
      () => roundsOf(store, batch),
    );
    catalogs.add(rounds?.record?.settings.catalog);
  }
  const found: Forgotten['schedules'] = [];
  for await (const { name, catalog } of listSchedules(client)) if (catalogs.has(catalog)) found.push({ name, catalog });
  return found;
}
