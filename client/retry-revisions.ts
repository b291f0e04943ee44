import { createHash } from 'node:crypto';
import { type Rejected, readDecisions } from '../catalog/decisions.ts';
import { type CatalogFormat, catalogFormat } from '../catalog/format.ts';
import type { ManifestRow } from '../catalog/manifest-table.ts';
import { UserError } from '../catalog/user-error.ts';
import { type ObjectStore, openStore, readBatchRows, readUrl, revisionName, storeUrl } from '../store/index.ts';
import type { BatchInput, CatalogReading, CatalogSource } from '../workflows/contract.ts';
import { requestedJobs } from './requested-jobs.ts';

/** What a person changes before a retry; paths, `file:` URLs or `gs://` URLs. */
export type RetryRequest = {
  /** A catalog whose rows take the place of those with their ids, where these are made again. */
  corrected?: { catalog: string; format?: CatalogFormat | undefined; columns?: Record<string, string> | undefined };
  /** A table of decisions; the images that it rejects are made again, with new seeds. */
  decisions?: string;
};

/** Rows of the batch that come out otherwise in this round. */
export type Revised = { corrected: number; rejected: number };

type RetrySource = Extract<CatalogSource, { kind: 'retry' }>;

/**
 * Checks all that a person changed against what the batch has, and keeps it in the batch's folder for the orchestrator.
 *
 * @throws CatalogError with every problem of the corrected catalog; nothing is written then
 * @throws UserError where a file is not what it should be, or changes no row that is to be made
 */
export async function keepRevisions(
  input: BatchInput,
  reading: CatalogReading,
  request: RetryRequest,
): Promise<{ source: Pick<RetrySource, 'corrected' | 'decisions'>; revised: Revised }> {
  const store = await openStore(input.store);
  const rows = await readBatchRows(store, input.batch);
  const rejected = request.decisions === undefined ? null : await readRejected(rows, request.decisions);
  const corrected = request.corrected === undefined ? null : await readCorrected(input, reading, request.corrected);
  const isMade = (row: ManifestRow) => row.file === '' || rejected?.found.has(row.id) === true;
  const revised = {
    corrected: corrected === null ? 0 : rows.filter((row) => isMade(row) && corrected.ids.has(row.id)).length,
    rejected: rejected?.found.size ?? 0,
  };
  if (corrected !== null && revised.corrected === 0)
    throw nothingCorrected(request.corrected!.catalog, rows.filter(isMade));
  const keep = (what: 'corrected' | 'decisions', bytes: Uint8Array, format: CatalogFormat) =>
    keepOnce(store, revisionName(input.batch, what, createHash('sha256').update(bytes).digest('hex'), format), bytes);
  const source: Pick<RetrySource, 'corrected' | 'decisions'> = {};
  if (corrected !== null) {
    const { bytes, format } = corrected;
    source.corrected = { ...corrected.reading, format, name: await keep('corrected', bytes, format) };
  }
  if (rejected !== null) source.decisions = await keep('decisions', rejected.bytes, 'csv');
  return { source, revised };
}

/** Those of the rejected pictures that the batch's rows still have. */
async function readRejected(rows: ManifestRow[], file: string): Promise<{ bytes: Uint8Array; found: Rejected }> {
  const bytes = await readUrl(storeUrl(file));
  const rejected = readDecisions(bytes, file);
  const found = new Map(
    rows.flatMap(({ id, file, render_key }) =>
      file !== '' && rejected.get(id) === render_key ? [[id, render_key] as const] : [],
    ),
  );
  if (found.size > 0) return { bytes, found };
  const expected = 'at least one row whose decision is "rejected", of an image that the batch has now';
  throw new UserError(`${file}: expected ${expected}, found ${rejected.size === 0 ? 'none rejected' : 'other images'}`);
}

async function readCorrected(
  input: BatchInput,
  reading: CatalogReading,
  { catalog, format = catalogFormat(catalog), columns = reading.columns }: NonNullable<RetryRequest['corrected']>,
) {
  const files = { catalog: new Uint8Array(), terms: new Map() };
  const read = { ...reading, columns };
  const source = { kind: 'catalog' as const, url: storeUrl(catalog), format, ...read };
  const ids = new Set<string>();
  for await (const { id } of requestedJobs({ ...input, source }, files, catalog)) ids.add(id);
  return { bytes: files.catalog, format, reading: read, ids };
}

const IDS_SHOWN = 5;

function nothingCorrected(catalog: string, rows: ManifestRow[]): UserError {
  const ids = rows.slice(0, IDS_SHOWN).map(({ id }) => id);
  const wanted = rows.length === 0 ? 'nothing is to be made again' : `such as ${ids.join(', ')}`;
  return new UserError(
    `${catalog}: expected rows with the ids of those that are to be made again (${wanted}), found none. Rows without an id are called after ` +
      'what they say, so that a corrected one has another name: give the corrected rows the ids that the manifest has',
  );
}

async function keepOnce(store: ObjectStore, name: string, bytes: Uint8Array): Promise<string> {
  await store.create(name, bytes, 'text/plain; charset=utf-8');
  return name;
}
