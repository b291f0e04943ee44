import { createHash } from 'node:crypto';
import { CATALOG_LIMITS } from '../catalog/catalog-limits.ts';
import { type CatalogFormat, catalogFormat } from '../domain/catalog-settings.ts';
import { someOf, UserError } from '../domain/user-error.ts';
import type { BatchRow } from '../records/batch-rows.ts';
import { noneDecided, readDecisions } from '../records/decisions.ts';
import { againName, catalogType, revisionName, termsName } from '../records/layout.ts';
import { createSame, type ObjectStore, PLAIN_TEXT, readUrl, shownPlace, storeUrl } from '../store/index.ts';
import type { BatchInput, CatalogReading, CatalogSource } from '../workflows/contract/batch.ts';
import { type CatalogFiles, readRequestedCatalog } from './requested-catalog.ts';

/** What the user changes for a retry; paths, `file:` URLs or `gs://` URLs. */
export type RevisionRequest = {
  /** A catalog whose rows replace those with the same ids, if these are rendered again. */
  corrected?: {
    catalog: string;
    format?: CatalogFormat | undefined;
    columns?: Record<string, string> | undefined;
    sheet?: string | undefined;
  };
  /** A table of decisions; the images that it rejects are rendered again, with new seeds. */
  decisions?: string;
  /** Ids of rows whose images were lost or damaged; they are rendered again as they were. */
  again?: readonly string[];
};

/** How many rows of the batch change in this round, and ids of a corrected catalog whose changes have no effect. */
export type Revised = { corrected: number; rejected: number; leftAside: string[] };

type RetrySource = Extract<CatalogSource, { kind: 'retry' }>;
type Kept = Pick<RetrySource, 'corrected' | 'decisions' | 'again'>;

type CorrectedCatalog = {
  files: CatalogFiles;
  format: CatalogFormat;
  reading: CatalogReading;
  /** How many of the rows to render have changed. */
  changed: number;
  /** Ids of other changed or added rows: they have their image already, or are not in the batch. */
  leftAside: string[];
};

/**
 * Checks the user's changes against the batch, and stores them in the batch's folder for the orchestrator.
 *
 * @throws CatalogError with every problem of the corrected catalog; nothing is written then
 * @throws UserError if a file is invalid, or changes no row that will be rendered
 */
export async function keepRevisions(
  store: ObjectStore,
  input: BatchInput & { source: RetrySource },
  request: RevisionRequest,
  rows: BatchRow[],
): Promise<{ source: Kept; revised: Revised }> {
  const rejected = request.decisions === undefined ? null : await readRejected(rows, request.decisions);
  const again = new Set(request.again);
  const toMake = rows.filter(({ id, hasImage }) => !hasImage || again.has(id) || rejected?.ids.has(id) === true);
  const reading = input.source.reading ?? { columns: {} };
  const corrected =
    request.corrected === undefined ? null : await readCorrected(input, reading, request.corrected, rows, toMake);
  const kept = new RevisionKeeper(store, input.batch);
  const source: Kept = {
    ...(corrected !== null && { corrected: await kept.corrected(corrected) }),
    ...(rejected !== null && { decisions: await kept.decisions(rejected.bytes) }),
    ...(again.size > 0 && { again: await kept.again(again) }),
  };
  const revised = {
    corrected: corrected?.changed ?? 0,
    rejected: rejected?.ids.size ?? 0,
    leftAside: corrected?.leftAside ?? [],
  };
  return { source, revised };
}

/** The rejected images that the batch's rows still have. */
async function readRejected(rows: BatchRow[], file: string): Promise<{ bytes: Uint8Array; ids: Set<string> }> {
  const bytes = await readUrl(storeUrl(file), 'decisions');
  const rejected = await readDecisions(bytes, file);
  const isRejected = ({ id, hasImage, renderKey }: BatchRow) => hasImage && rejected.get(id)?.has(renderKey) === true;
  const ids = new Set(rows.filter(isRejected).map(({ id }) => id));
  if (ids.size > 0) return { bytes, ids };
  const isOfOthers = [...rejected.values()].some((keys) => keys.size > 0);
  throw noneDecided(file, 'rejected', isOfOthers);
}

async function readCorrected(
  input: BatchInput,
  reading: CatalogReading,
  { catalog, format = catalogFormat(catalog), columns, sheet }: NonNullable<RevisionRequest['corrected']>,
  rows: BatchRow[],
  toMake: BatchRow[],
): Promise<CorrectedCatalog> {
  // Copies keep the names from the plan.
  const { naming: _, ...kept } = reading;
  // A list of prompts has no columns to map.
  const read = {
    ...kept,
    columns: columns ?? (format === 'txt' ? {} : reading.columns),
    sheet: sheet ?? (format === 'xlsx' ? reading.sheet : undefined),
  };
  const source = { kind: 'catalog' as const, url: storeUrl(catalog), format, ...read };
  const { jobs, files } = await readRequestedCatalog({ ...input, source }, catalog);
  const before = new Map(rows.map(({ id, renderKey }) => [id, renderKey]));
  const carried = new Set<string>();
  for (const { metadata } of rows) for (const name of Object.keys(metadata)) carried.add(name);
  const most = Math.max(carried.size, CATALOG_LIMITS.carriedColumns);
  const wanted = new Set(toMake.map(({ id }) => id));
  let changed = 0;
  const ineffective = { made: [] as string[], unknown: [] as string[] };
  for await (const { id, renderKey, metadata } of jobs) {
    if (!before.has(id)) ineffective.unknown.push(id);
    else if (before.get(id) === renderKey) continue;
    else if (wanted.has(id)) {
      changed += 1;
      for (const name of Object.keys(metadata)) carried.add(name);
    } else ineffective.made.push(id);
  }
  if (carried.size > most) {
    throw new UserError(
      `${catalog}: expected at most ${most} different columns besides ours in all rows of the batch together, found ${carried.size} with the ones ` +
        'it adds: leave out unneeded columns',
    );
  }
  if (changed === 0) throw nothingCorrected(catalog, [...wanted], ineffective);
  return { files, format, reading: read, changed, leftAside: [...ineffective.made, ...ineffective.unknown] };
}

/** Changes without effect: to rows that have their image, and to rows that are not in the batch. */
type Ineffective = { made: string[]; unknown: string[] };

function nothingCorrected(catalog: string, wanted: string[], { made, unknown }: Ineffective): UserError {
  const among = wanted.length === 0 ? 'there is none' : someOf(wanted);
  const hints = [
    ...(made.length === 0
      ? []
      : [
          ` Changed rows (${someOf(made)}) already have their images, which stay: reject them, or submit the catalog as another batch.`,
        ]),
    ...(unknown.length === 0
      ? []
      : [
          ` ${unknown.length} of its rows have ids that the batch does not have. The id of a row without one is derived from its contents, so correcting it changes the ` +
            'id: give the corrected rows their ids from the manifest.',
        ]),
  ];
  return new UserError(
    `${catalog}: expected changes in rows that will be rendered again (${among}), found none.${hints.join('')}`,
  );
}

/** Stores a retry's files in the batch's folder, where the orchestrator finds them. */
class RevisionKeeper {
  readonly #store: ObjectStore;
  readonly #batch: string;

  constructor(store: ObjectStore, batch: string) {
    this.#store = store;
    this.#batch = batch;
  }

  /** @throws UserError if a terms file has changed since the batch's catalog was expanded with it */
  async corrected({ files, format, reading }: CorrectedCatalog): Promise<NonNullable<Kept['corrected']>> {
    for (const [name, bytes] of files.terms) {
      const isKept = await createSame(this.#store, termsName(this.#batch, name), bytes, PLAIN_TEXT);
      if (isKept) continue;
      throw new UserError(
        `terms ${name}: expected the file that batch ${this.#batch} was expanded with, found one that has changed since: restore it, or submit ` +
          'the corrected catalog as another batch',
      );
    }
    const nameOf = (digest: string) => revisionName(this.#batch, 'corrected', digest, format);
    return { ...reading, format, name: await this.#keep(nameOf, files.catalog, catalogType(format)) };
  }

  decisions(bytes: Uint8Array): Promise<string> {
    return this.#keep((digest) => revisionName(this.#batch, 'decisions', digest, 'csv'), bytes, PLAIN_TEXT);
  }

  again(ids: Iterable<string>): Promise<string> {
    const lines = [...ids].map((id) => `${id}\n`).join('');
    return this.#keep((digest) => againName(this.#batch, digest), Buffer.from(lines), PLAIN_TEXT);
  }

  /** The name contains the digest, so it can only ever hold this content. */
  async #keep(nameOf: (digest: string) => string, bytes: Uint8Array, type: string): Promise<string> {
    const name = nameOf(createHash('sha256').update(bytes).digest('hex'));
    if (await createSame(this.#store, name, bytes, type)) return name;
    throw new UserError(
      `${name} in ${shownPlace(this.#store.url)}: expected the content whose digest is in its name, found something else`,
    );
  }
}
