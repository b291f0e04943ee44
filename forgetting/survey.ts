import type { RowFilter } from '../domain/row-filter.ts';
import { type ObjectSeal, PLAIN_OBJECTS } from '../encryption/object-seal.ts';
import type { Bundle } from '../models/pixart/index.ts';
import { orWarn, type Warn } from '../records/damaged.ts';
import {
  BATCHES_FOLDER,
  batchOf,
  changesName,
  keptCatalogFolder,
  planFolder,
  removalName,
  roundsFolder,
} from '../records/layout.ts';
import { catalogsOf } from '../records/previous-batch.ts';
import { removerOf } from '../records/removal.ts';
import { type ObjectStore, readIfThere } from '../store/index.ts';
import { SCRATCH_FOLDER } from '../store/object-name.ts';
import { forgottenCaptions } from './forgotten-captions.ts';
import { type ForgottenRows, forgottenRows, isWhole } from './forgotten-rows.ts';
import { type Fate, kindFinder } from './kind-finder.ts';
import { KINDS, type Kind } from './kinds.ts';
import { type OtherRows, otherRows } from './other-rows.ts';
import { changesOf, isForgotten } from './rewrite-lines.ts';
import { toldElsewhere } from './told-elsewhere.ts';

/** Which rows to forget: those of one batch, those that match filters in all batches, or both combined. */
export type Sought = {
  batch?: string | undefined;
  filters: readonly RowFilter[];
  /** Bundles whose tokenizers lead to kept captions. */
  bundles: readonly Bundle[];
  /** With the keys that may have encrypted captions; default: none. */
  seal?: ObjectSeal | undefined;
  /** Where checkpoints are, if not in the store itself. */
  scratch?: ObjectStore | undefined;
};

/** An object to remove, and the store that it is in. */
export type Removable = { store: ObjectStore; name: string };

/** What a store has of the rows to forget. Nothing has been changed yet. */
export type Survey = {
  rows: ForgottenRows[];
  removals: Record<Kind, Removable[]>;
  /** Names of records and sheets to rewrite, because they also cover other rows, by batch. */
  rewrites: Map<string, string[]>;
  /** Retries' catalogs in other batches that contain a value: they are removed as a whole, and are also in `removals`. */
  elsewhere: string[];
  /** Tables of changes in other batches that contain a text, and how many of their lines do. */
  changes: { name: string; lines: number }[];
  others: OtherRows;
  /** Texts that no other row has. */
  texts: Set<string>;
  /**
   * Batches that an earlier call started to forget and whose plan no longer shows which rows: little is left of them
   * but the mark, or only the mark has to go.
   */
  begun: string[];
  /** Records of the rounds that batches had before their plans were read. */
  rounds: ReadonlySet<string>;
  /** Batches with a kept catalog and no plan, so that their rows are unknown. */
  unplanned: string[];
  /** Why the shared pictures of a batch to remove are unknown. */
  unread: string[];
  /** Columns of the rows that were searched. */
  columns: Set<string>;
};

/**
 * Finds everything that a store has of some rows.
 *
 * @param warn called for each batch that cannot be read
 * @throws DamagedRecord if a batch that is searched for rows cannot be read
 */
export async function survey(store: ObjectStore, request: Sought, warn: Warn): Promise<Survey> {
  const { batches, unplanned, begun, rounds } = await batchesIn(store);
  const searched = request.batch === undefined ? batches : [request.batch];
  const columns = new Set<string>();
  const rows: ForgottenRows[] = [];
  const unread: string[] = [];
  for (const batch of searched) {
    const read = () => forgottenRows(store, batch, request.filters, (name) => columns.add(name));
    const found = request.filters.length > 0 ? await read() : await readOrFolder(batch, read, unread);
    if (found.ids.size > 0 || request.filters.length === 0 || begun.includes(batch)) rows.push(found);
  }
  const byBatch = new Map(rows.map((found) => [found.batch, found]));
  const others = await otherRows(store, batches, byBatch, warn);
  const texts = new Set(rows.flatMap((found) => [...found.texts]).filter((text) => !others.texts.has(text)));
  const kindOf = kindFinder({
    rows,
    others,
    catalogs: await catalogsOfWhole(store, rows),
    captions: await forgottenCaptions(store, request.bundles, request.seal ?? PLAIN_OBJECTS, texts),
  });
  const { removals, rewrites } = await sorted(store, request.scratch, kindOf);
  const untouched = batches.filter((batch) => !byBatch.has(batch));
  // If one batch is named, no other batch's catalogs are searched.
  const elsewhere = request.batch === undefined ? await toldElsewhere(store, untouched, request.filters) : [];
  removals.catalogs.push(...elsewhere.map((name) => ({ store, name })));
  const changes = await changesElsewhere(store, untouched, texts);
  const unsearched = request.filters.length === 0 ? [] : unplanned.filter((batch) => searched.includes(batch));
  return {
    ...{ rows, removals, rewrites, elsewhere, changes, others, texts, unread, columns, rounds },
    begun: begun.filter((batch) => byBatch.has(batch)),
    unplanned: unsearched.filter((batch) => !byBatch.has(batch)),
  };
}

/** All objects of the store, by their fate. */
async function sorted(
  store: ObjectStore,
  scratch: ObjectStore | undefined,
  kindOf: (name: string) => Fate,
): Promise<Pick<Survey, 'removals' | 'rewrites'>> {
  const removals = Object.fromEntries(KINDS.map((kind) => [kind, []])) as unknown as Survey['removals'];
  const rewrites: Survey['rewrites'] = new Map();
  for await (const { name } of store.list('')) {
    const kind = kindOf(name);
    if (kind === 'rewritten') {
      const batch = batchOf(name)!;
      const names = rewrites.get(batch);
      if (names === undefined) rewrites.set(batch, [name]);
      else names.push(name);
    } else if (kind !== null) removals[kind].push({ store, name });
  }
  for await (const { name } of scratch?.list(`${SCRATCH_FOLDER}/`) ?? []) {
    if (kindOf(name) === 'checkpoints') removals.checkpoints.push({ store: scratch!, name });
  }
  return { removals, rewrites };
}

/** A batch can be removed as a whole by its folder, even if its plan is damaged. */
async function readOrFolder(
  batch: string,
  read: () => Promise<ForgottenRows>,
  unread: string[],
): Promise<ForgottenRows> {
  const found = await orWarn((why) => unread.push(why), `the shared images of batch ${batch} are unknown`, read);
  return found ?? { batch, ids: new Set(), copies: new Set(), others: 0, pictures: new Map(), texts: new Set() };
}

/** Object names of the notes about catalogs whose last batch is removed. */
async function catalogsOfWhole(store: ObjectStore, rows: readonly ForgottenRows[]): Promise<Set<string>> {
  const names = new Set<string>();
  for (const { batch } of rows.filter(isWhole)) for await (const { name } of catalogsOf(store, batch)) names.add(name);
  return names;
}

type BatchesIn = Pick<Survey, 'begun' | 'rounds' | 'unplanned'> & { batches: string[] };

/** All batches with a folder in the store, those with a kept catalog but no plan, and those that an earlier call started on. */
async function batchesIn(store: ObjectStore): Promise<BatchesIn> {
  const batches = new Set<string>();
  const planned = new Set<string>();
  const submitted = new Set<string>();
  const removed = new Set<string>();
  const rounds = new Set<string>();
  for await (const { name } of store.list(BATCHES_FOLDER)) {
    const batch = batchOf(name);
    if (batch === null) continue;
    batches.add(batch);
    if (name.startsWith(planFolder(batch))) planned.add(batch);
    if (name.startsWith(keptCatalogFolder(batch))) submitted.add(batch);
    if (name === removalName(batch)) removed.add(batch);
    if (name.startsWith(roundsFolder(batch))) rounds.add(name);
  }
  const begun: string[] = [];
  for (const batch of removed) {
    const by = await removerOf(store, batch);
    if (by === 'forget rows' || (by === 'forget' && !planned.has(batch))) begun.push(batch);
  }
  return { batches: [...batches], unplanned: [...submitted].filter((batch) => !planned.has(batch)), begun, rounds };
}

/** Tables of changes that contain a text; apart from the batch's own, they have those of the catalog's previous batch. */
async function changesElsewhere(
  store: ObjectStore,
  batches: readonly string[],
  texts: ReadonlySet<string>,
): Promise<Survey['changes']> {
  const found: Survey['changes'] = [];
  const isGone = isForgotten(new Set(), texts);
  for (const name of batches.map(changesName)) {
    const bytes = await readIfThere(store, name);
    const lines = bytes === null ? 0 : changesOf(bytes).filter(isGone).length;
    if (lines > 0) found.push({ name, lines });
  }
  return found;
}
