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

/** The format of an image by its name. @throws Error where the name is no image's */
export function formatOf(name: string): ImageFormat {
  const found = IMAGE_FORMATS.find((format) => name.endsWith(`.${extension(format)}`));
  if (found === undefined) throw new Error(`${name}: expected the name of an image`);
  return found;
}

export const OBJECTS_FOLDER = 'objects/';

/** The shared object of one picture; every batch that needs the picture copies it. */
export const objectName = (renderKey: string, format: ImageFormat): string =>
  `${OBJECTS_FOLDER}${digestSchema.parse(renderKey)}.${extension(format)}`;

/** Where a damaged object or copy is kept, beside others that were damaged under the same name. */
export const damagedName = (name: string, version: string): string =>
  `damaged/${name.replace(/(?=\.[^./]*$)/, `.${version}`)}`;

/** The name that a damaged object or copy had; `null` of anything else. */
export function undamagedName(name: string): string | null {
  const [, folder, stem, ending] = /^damaged\/(.*\/)([^/]+)\.[A-Za-z0-9-]+(\.[^./]+)$/.exec(name) ?? [];
  return folder === undefined ? null : `${folder}${stem}${ending}`;
}

/** What a bundle's images took here: see records/rates.ts. */
export const ratesName = (bundleDigest: string): string => `rates/${digestSchema.parse(bundleDigest)}.json`;

/** What is noted of catalogs. */
export const CATALOGS_FOLDER = 'catalogs/';

/** Which batch of the catalog at a URL ended last. */
export const latestBatchName = (catalog: string): string =>
  `${CATALOGS_FOLDER}${createHash('sha256').update(catalog).digest('hex')}.json`;

/** How far one picture was denoised, until its object is there. */
export const checkpointName = (renderKey: string): string =>
  `${SCRATCH_FOLDER}/${digestSchema.parse(renderKey)}.latents`;

export const CAPTIONS_FOLDER = 'captions/';

/** The digest of the encoder whose caption it is; `null` of anything else. */
export const captionEncoder = (name: string): string | null =>
  /^captions\/([0-9a-f]{64})\/[0-9a-f]{2}\/[0-9a-f]{64}$/.exec(name)?.[1] ?? null;

/** What an encoder made of a text, by the digests of both. */
export const captionName = (encoder: string, key: string): string =>
  `${CAPTIONS_FOLDER}${digestSchema.parse(encoder)}/${digestSchema.parse(key).slice(0, 2)}/${key}`;

/** What the team whose store this is may have rendered a day: see records/limits.ts. */
export const LIMITS_NAME = 'limits.json';

/** What was taken of a day's limits (UTC). */
export const usageFolder = (day: string): string => `usage/${day}/`;

/** What the nth batch of a day took of its limits. */
export const usageName = (day: string, number: number): string =>
  `${usageFolder(day)}${String(number).padStart(6, '0')}.json`;

/** Who did what here, a folder for each day: see records/audit.ts. */
export const AUDIT_FOLDER = 'audit/';

/** The audit lines of one day (UTC). */
export const auditDayFolder = (day: string): string => `${AUDIT_FOLDER}${day}/`;

/** The two lines that one action leaves: before anything is done, and once it has ended. */
export type AuditLine = 'asked' | 'ended';

/**
 * One audit line. Names sort by time: `audit/2026-11-30/20261130T155332123Z-9f86d081.asked.json`.
 *
 * @param nonce tells actions of the same millisecond apart; eight hexadecimal digits
 */
export function auditName(at: Date, nonce: string, line: AuditLine): string {
  const instant = at.toISOString();
  return `${auditDayFolder(instant.slice(0, 10))}${instant.replace(/[-:.]/g, '')}-${nonce}.${line}.json`;
}

/** All batches, a folder each. */
export const BATCHES_FOLDER = 'batches/';

/** The batch in whose folder an object lies; `null` of any other object, and of what others put there. */
export function batchOf(name: string): string | null {
  const [batch = ''] = name.startsWith(BATCHES_FOLDER) ? name.slice(BATCHES_FOLDER.length).split('/', 1) : [];
  return isBatchId(batch) && name.startsWith(batchFolder(batch)) ? batch : null;
}

export const batchFolder = (batch: string): string => `${BATCHES_FOLDER}${checkBatchId(batch)}/`;

/** Says that the batch is being removed: it is the first to come and the last to go. */
export const removalName = (batch: string): string => `${batchFolder(batch)}_removing.json`;

/** The batch's own copy of a job's picture. */
export const copyName = (batch: string, job: Copied): string => batchFolder(batch) + copyNameOf(job);

/** The copy of a picture that a later round made, where the store keeps the one before. */
export const roundCopyName = (batch: string, round: number, job: Copied): string =>
  `${batchFolder(batch)}round-${round}/${copyNameOf(job)}`;

/** The catalog as it was submitted, its terms, and what retries were told. */
export const keptCatalogFolder = (batch: string): string => `${batchFolder(batch)}_catalog/`;

export const catalogName = (batch: string, format: CatalogFormat): string =>
  `${keptCatalogFolder(batch)}catalog.${format}`;

/** What a kept catalog is called for browsers. */
export const catalogType = (format: CatalogFormat): string =>
  format === 'xlsx' ? 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' : PLAIN_TEXT;

/** What a retry was told, kept under a digest of it: `corrected` rows or `decisions` about images. */
export const revisionName = (batch: string, what: 'corrected' | 'decisions', digest: string, format: CatalogFormat) =>
  `${keptCatalogFolder(batch)}${what}-${digestSchema.parse(digest).slice(0, 12)}.${format}`;

/** Whether it is a table of decisions that a retry of the batch was told. */
export const isDecisionsName = (batch: string, name: string): boolean =>
  name.startsWith(keptCatalogFolder(batch)) &&
  /^decisions-[0-9a-f]{12}\.csv$/.test(name.slice(keptCatalogFolder(batch).length));

/** Whether that is the name of something with this digest. */
export const isRevisionOf = (name: string, digest: string): boolean => name.includes(`-${digest.slice(0, 12)}.`);

/** Ids of the rows that a retry was told to make again as they were, a line each, under a digest of them. */
export const againName = (batch: string, digest: string): string =>
  `${keptCatalogFolder(batch)}again-${digestSchema.parse(digest).slice(0, 12)}.txt`;

/** The batch's own copy of a file of terms that its catalog's prompts choose from. */
export const termsName = (batch: string, name: string): string => `${keptCatalogFolder(batch)}terms/${name}.txt`;

const part = (round: number, shard: number): string => `${round}-${String(shard).padStart(5, '0')}.jsonl`;

/** A part of a round's plan, or what became of one: more than one where the store kept what an earlier run of the round had written. */
export type Piece = { name: string; round: number; shard: number; number: number };

/** Which piece an object of planFolder or receiptsFolder is; `null` for what others put there, whatever it is called. */
export function pieceOf(folder: string, name: string): Piece | null {
  const [, round, shard, number = '1'] = /(\d+)-(\d+)(?:-(\d+))?\.jsonl$/.exec(name) ?? [];
  const piece = { name, round: Number(round), shard: Number(shard), number: Number(number) };
  const own = folder + besideName(part(piece.round, piece.shard), piece.number);
  return piece.round > 0 && piece.number > 0 && name === own ? piece : null;
}

/** All slices of the plan, of every round. */
export const planFolder = (batch: string): string => `${batchFolder(batch)}_plan/`;

/** All that became of the slices. */
export const receiptsFolder = (batch: string): string => `${batchFolder(batch)}_receipts/`;

/** One fixed slice of the plan, a job a line. */
export const shardName = (batch: string, round: number, shard: number): string =>
  `${planFolder(batch)}${part(round, shard)}`;

/** What became of one shard's jobs, a receipt or failure a line. */
export const shardReceiptsName = (batch: string, round: number, shard: number): string =>
  `${receiptsFolder(batch)}${part(round, shard)}`;

/** What each round was begun with. */
export const roundsFolder = (batch: string): string => `${batchFolder(batch)}_rounds/`;

export const roundName = (batch: string, round: number): string => `${roundsFolder(batch)}${round}.json`;

/** The manifest, and its jobs as a table for programs and for spreadsheets. */
export type ManifestFormat = 'json' | 'jsonl' | 'csv';

/** What the names of the newest manifest's files begin with, and those of every round's. */
export const manifestPrefix = (batch: string): string => `${batchFolder(batch)}manifest`;

/** The newest copy, where it may be replaced. Earlier versions wrote no other. */
export const manifestName = (batch: string, format: ManifestFormat = 'json'): string =>
  `${manifestPrefix(batch)}.${format}`;

/**
 * What one round came to, written once.
 *
 * @param number counts from 1 where the same round came to different ends: a batch that was cancelled and submitted again
 */
export const roundManifestName = (batch: string, round: number, number: number, format: ManifestFormat): string =>
  besideName(`${manifestPrefix(batch)}-${round}.${format}`, number);

/** How the batch's catalog differs from that of the batch before. */
export const changesName = (batch: string): string => `${batchFolder(batch)}changes.csv`;

export const contactSheetName = (batch: string): string => `${batchFolder(batch)}contact-sheet.webp`;

/** The page to look through all of a batch's images with; what it loads lies in sheetFolder. */
export const contactSheetPageName = (batch: string): string => `${batchFolder(batch)}contact-sheet.html`;

/** Thumbnails and rows of the page, named by what they hold. */
export const sheetFolder = (batch: string): string => `${batchFolder(batch)}_sheet/`;

/** The contact sheet as Slack and Teams show it, under a digest of it. */
export const messagePictureName = (batch: string, digest: string): string =>
  `${sheetFolder(batch)}message-${digestSchema.parse(digest).slice(0, 16)}.jpg`;
