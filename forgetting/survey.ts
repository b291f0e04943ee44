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

/** Which rows are to be forgotten: those of a batch, those that filters find in all batches, or both. */
export type Sought = {
  batch?: string | undefined;
  filters: readonly RowFilter[];
  /** Whose tokenizers lead to kept captions. */
  bundles: readonly Bundle[];
  /** With the keys that may have encrypted captions; none unless given. */
  seal?: ObjectSeal | undefined;
  /** Where checkpoints lie, where not in the store itself. */
  scratch?: ObjectStore | undefined;
};

/** An object that goes, and where it lies. */
export type Removable = { store: ObjectStore; name: string };

/** What a store has of rows that are to be forgotten. Nothing has been changed. */
export type Survey = {
  rows: ForgottenRows[];
  removals: Record<Kind, Removable[]>;
  /** Names of records and sheets that tell of other rows too, and are written anew, by their batch. */
  rewrites: Map<string, string[]>;
  /** Catalogs in other batches that retries were told and in which a value stands: they go as a whole, and are among what is removed. */
  elsewhere: string[];
  /** Tables of changes in other batches that tell of a text, and the lines in them that do. */
  changes: { name: string; lines: number }[];
  others: OtherRows;
  /** Texts that no other row has. */
  texts: Set<string>;
  /**
   * Batches whose plan tells no more what an earlier call was to forget: of some little is left but the note that they are being forgotten, of
   * others that note is to go.
   */
  begun: string[];
  /** Records of the rounds that batches had before any plan was read. */
  rounds: ReadonlySet<string>;
  /** Batches whose kept catalog nothing was planned from, so that their rows cannot be told apart. */
  unplanned: string[];
  /** Why the shared pictures of a batch that goes are not known. */
  unread: string[];
  /** Columns of the rows that were looked at. */
  columns: Set<string>;
};

/**
 * Finds all that a store has of some rows.
 *
 * @param warn hears of batches that cannot be read
 * @throws DamagedRecord where a batch that is searched for rows cannot be read
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
  // Of one batch all that it was told goes, or nothing of it is asked for.
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

/** All objects of the store by what becomes of them. */
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

/** A batch that goes as a whole has a folder, also where its plan is damaged. */
async function readOrFolder(
  batch: string,
  read: () => Promise<ForgottenRows>,
  unread: string[],
): Promise<ForgottenRows> {
  const found = await orWarn((why) => unread.push(why), `the shared pictures of batch ${batch} are not known`, read);
  return found ?? { batch, ids: new Set(), copies: new Set(), others: 0, pictures: new Map(), texts: new Set() };
}

/** Object names of what is noted of catalogs whose last batch goes. */
async function catalogsOfWhole(store: ObjectStore, rows: readonly ForgottenRows[]): Promise<Set<string>> {
  const names = new Set<string>();
  for (const { batch } of rows.filter(isWhole)) for await (const { name } of catalogsOf(store, batch)) names.add(name);
  return names;
}

type BatchesIn = Pick<Survey, 'begun' | 'rounds' | 'unplanned'> & { batches: string[] };

/** Those that a store has a folder of; those of them that have a kept catalog and no plan; and those that an earlier call has begun with. */
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

/** Only a batch's own texts are in its tables, and those of the catalog's batch before. */
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
