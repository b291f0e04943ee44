import { createHash } from 'node:crypto';
import type { CatalogFormat } from '../domain/catalog-settings.ts';
import { type Copied, copyNameOf } from '../domain/copy-name.ts';
import { extension, IMAGE_FORMATS, type ImageFormat } from '../domain/image-format.ts';
import { digestSchema } from '../domain/job.ts';
import { UserError } from '../domain/user-error.ts';
import { SCRATCH_FOLDER } from '../store/object-name.ts';
import { PLAIN_TEXT } from '../store/object-store.ts';
import { besideName } from '../store/write-beside.ts';

const batchPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

export const isBatchId = (text: string): boolean => batchPattern.test(text);

/** @throws UserError unless the batch's id can be one folder name: letters, digits, `.`, `_`, `-`, at most 100. */
export function checkBatchId(batch: string): string {
  if (isBatchId(batch)) return batch;
  throw new UserError(
    `batch id: expected 1 to 100 letters, digits, ".", "_" or "-", starting with a letter or digit, found ${JSON.stringify(batch)}`,
  );
}

/** An image's format, by its name. @throws Error if the name is not an image's */
export function formatOf(name: string): ImageFormat {
  const found = IMAGE_FORMATS.find((format) => name.endsWith(`.${extension(format)}`));
  if (found === undefined) throw new Error(`${name}: expected the name of an image`);
  return found;
}

export const OBJECTS_FOLDER = 'objects/';

/** The shared object of one picture; every batch that needs the picture copies it. */
export const objectName = (renderKey: string, format: ImageFormat): string =>
  `${OBJECTS_FOLDER}${digestSchema.parse(renderKey)}.${extension(format)}`;

/** Where a damaged object or copy is kept, beside others that had the same name. */
export const damagedName = (name: string, version: string): string =>
  `damaged/${name.replace(/(?=\.[^./]*$)/, `.${version}`)}`;

/** The name that a damaged object or copy had; `null` for anything else. */
export function undamagedName(name: string): string | null {
  const [, folder, stem, ending] = /^damaged\/(.*\/)([^/]+)\.[A-Za-z0-9-]+(\.[^./]+)$/.exec(name) ?? [];
  return folder === undefined ? null : `${folder}${stem}${ending}`;
}

/** How long a bundle's images took here: see records/rates.ts. */
export const ratesName = (bundleDigest: string): string => `rates/${digestSchema.parse(bundleDigest)}.json`;

/** Notes about catalogs. */
export const CATALOGS_FOLDER = 'catalogs/';

/** Records which batch of the catalog at a URL ended last. */
export const latestBatchName = (catalog: string): string =>
  `${CATALOGS_FOLDER}${createHash('sha256').update(catalog).digest('hex')}.json`;

/** One picture's denoising checkpoint, kept until its object exists. */
export const checkpointName = (renderKey: string): string =>
  `${SCRATCH_FOLDER}/${digestSchema.parse(renderKey)}.latents`;

export const CAPTIONS_FOLDER = 'captions/';

/** The digest of the encoder that made the caption; `null` for any other object. */
export const captionEncoder = (name: string): string | null =>
  /^captions\/([0-9a-f]{64})\/[0-9a-f]{2}\/[0-9a-f]{64}$/.exec(name)?.[1] ?? null;

/** A text as an encoder encoded it, by the digests of both. */
export const captionName = (encoder: string, key: string): string =>
  `${CAPTIONS_FOLDER}${digestSchema.parse(encoder)}/${digestSchema.parse(key).slice(0, 2)}/${key}`;

/** What the store's team may render in a day: see records/limits.ts. */
export const LIMITS_NAME = 'limits.json';

/** What was used of a day's limits (UTC). */
export const usageFolder = (day: string): string => `usage/${day}/`;

/** What the nth batch of a day used of its limits. */
export const usageName = (day: string, number: number): string =>
  `${usageFolder(day)}${String(number).padStart(6, '0')}.json`;

/** Who did what here, a folder for each day: see records/audit.ts. */
export const AUDIT_FOLDER = 'audit/';

/** The audit lines of one day (UTC). */
const auditDayFolder = (day: string): string => `${AUDIT_FOLDER}${day}/`;

/** The two lines that an action writes: one before it starts, one when it has ended. */
export type AuditLine = 'asked' | 'ended';

/**
 * One audit line. Names sort by time: `audit/2026-11-30/20261130T155332123Z-9f86d081.asked.json`.
 *
 * @param nonce distinguishes actions of the same millisecond; eight hexadecimal digits
 */
export function auditName(at: Date, nonce: string, line: AuditLine): string {
  const instant = at.toISOString();
  return `${auditDayFolder(instant.slice(0, 10))}${instant.replace(/[-:.]/g, '')}-${nonce}.${line}.json`;
}

/** All batches, one folder each. */
export const BATCHES_FOLDER = 'batches/';

/** The batch whose folder an object is in; `null` for any other object, and for files that others put there. */
export function batchOf(name: string): string | null {
  const [batch = ''] = name.startsWith(BATCHES_FOLDER) ? name.slice(BATCHES_FOLDER.length).split('/', 1) : [];
  return isBatchId(batch) && name.startsWith(batchFolder(batch)) ? batch : null;
}

export const batchFolder = (batch: string): string => `${BATCHES_FOLDER}${checkBatchId(batch)}/`;

/** Marks a batch as being removed: written first, removed last. */
export const removalName = (batch: string): string => `${batchFolder(batch)}_removing.json`;

/** The batch's own copy of a job's picture. */
export const copyName = (batch: string, job: Copied): string => batchFolder(batch) + copyNameOf(job);

/** A later round's copy of a picture, for a store that does not let it replace the earlier one. */
export const roundCopyName = (batch: string, round: number, job: Copied): string =>
  `${batchFolder(batch)}round-${round}/${copyNameOf(job)}`;

/** The catalog as submitted, its files of terms, and the files given to retries. */
export const keptCatalogFolder = (batch: string): string => `${batchFolder(batch)}_catalog/`;

export const catalogName = (batch: string, format: CatalogFormat): string =>
  `${keptCatalogFolder(batch)}catalog.${format}`;

/** A kept catalog's content type. */
export const catalogType = (format: CatalogFormat): string =>
  format === 'xlsx' ? 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' : PLAIN_TEXT;

/** A file given to a retry, named by its digest: `corrected` rows or `decisions` about images. */
export const revisionName = (batch: string, what: 'corrected' | 'decisions', digest: string, format: CatalogFormat) =>
  `${keptCatalogFolder(batch)}${what}-${digestSchema.parse(digest).slice(0, 12)}.${format}`;

/** Whether it is a table of decisions given to a retry of the batch. */
export const isDecisionsName = (batch: string, name: string): boolean =>
  name.startsWith(keptCatalogFolder(batch)) &&
  /^decisions-[0-9a-f]{12}\.csv$/.test(name.slice(keptCatalogFolder(batch).length));

/** Whether a revision of that name has this digest. */
export const isRevisionOf = (name: string, digest: string): boolean => name.includes(`-${digest.slice(0, 12)}.`);

/** Ids of the rows that a retry renders again unchanged, one a line, named by their digest. */
export const againName = (batch: string, digest: string): string =>
  `${keptCatalogFolder(batch)}again-${digestSchema.parse(digest).slice(0, 12)}.txt`;

/** The batch's own copy of a file of terms that its catalog's prompts choose from. */
export const termsName = (batch: string, name: string): string => `${keptCatalogFolder(batch)}terms/${name}.txt`;

const part = (round: number, shard: number): string => `${round}-${String(shard).padStart(5, '0')}.jsonl`;

/** A shard's plan or receipts in one round. There is more than one if the store kept what an earlier run of the round wrote. */
export type Piece = { name: string; round: number; shard: number; number: number };

/** The piece that an object in planFolder or receiptsFolder is; `null` for files that others put there. */
export function pieceOf(folder: string, name: string): Piece | null {
  const [, round, shard, number = '1'] = /(\d+)-(\d+)(?:-(\d+))?\.jsonl$/.exec(name) ?? [];
  const piece = { name, round: Number(round), shard: Number(shard), number: Number(number) };
  const own = folder + besideName(part(piece.round, piece.shard), piece.number);
  return piece.round > 0 && piece.number > 0 && name === own ? piece : null;
}

/** All shards of the plan, of every round. */
export const planFolder = (batch: string): string => `${batchFolder(batch)}_plan/`;

/** The receipts of all shards, of every round. */
export const receiptsFolder = (batch: string): string => `${batchFolder(batch)}_receipts/`;

/** One shard of the plan, one job a line. */
export const shardName = (batch: string, round: number, shard: number): string =>
  `${planFolder(batch)}${part(round, shard)}`;

/** The outcomes of one shard's jobs, one receipt or failure a line. */
export const shardReceiptsName = (batch: string, round: number, shard: number): string =>
  `${receiptsFolder(batch)}${part(round, shard)}`;

/** The settings that each round started with. */
export const roundsFolder = (batch: string): string => `${batchFolder(batch)}_rounds/`;

export const roundName = (batch: string, round: number): string => `${roundsFolder(batch)}${round}.json`;

/** The manifest, and its jobs as a table for programs and for spreadsheets. */
export type ManifestFormat = 'json' | 'jsonl' | 'csv';

/** The prefix of every manifest file: the newest copy's and those of each round. */
export const manifestPrefix = (batch: string): string => `${batchFolder(batch)}manifest`;

/** The newest copy, if the store lets it be replaced. Earlier versions wrote no other. */
export const manifestName = (batch: string, format: ManifestFormat = 'json'): string =>
  `${manifestPrefix(batch)}.${format}`;

/**
 * One round's manifest, written once.
 *
 * @param number counts from 1; there are more if a round ended more than once, as when a batch is cancelled and submitted again
 */
export const roundManifestName = (batch: string, round: number, number: number, format: ManifestFormat): string =>
  besideName(`${manifestPrefix(batch)}-${round}.${format}`, number);

/** How the batch's catalog differs from the previous batch's. */
export const changesName = (batch: string): string => `${batchFolder(batch)}changes.csv`;

export const contactSheetName = (batch: string): string => `${batchFolder(batch)}contact-sheet.webp`;

/** The page for reviewing all of a batch's images; the files that it loads are in sheetFolder. */
export const contactSheetPageName = (batch: string): string => `${batchFolder(batch)}contact-sheet.html`;

/** Thumbnails and rows of the page, named by their content. */
export const sheetFolder = (batch: string): string => `${batchFolder(batch)}_sheet/`;

/** The contact sheet as Slack and Teams show it, named by its digest. */
export const messagePictureName = (batch: string, digest: string): string =>
  `${sheetFolder(batch)}message-${digestSchema.parse(digest).slice(0, 16)}.jpg`;
