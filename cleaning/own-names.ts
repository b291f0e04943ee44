import { CATALOG_FORMATS } from '../domain/catalog-settings.ts';
import { IMAGE_FORMATS } from '../domain/image-format.ts';
import {
  batchFolder,
  extension,
  isBatchId,
  pieceOf,
  planFolder,
  receiptsFolder,
  removalName,
} from '../records/layout.ts';

/** What of a batch an object is. */
export type BatchPart = 'image' | 'plan' | 'receipts' | 'table' | 'removal' | 'other';

const IMAGE = `(?:${IMAGE_FORMATS.map(extension).join('|')})`;
const CATALOG = `(?:${CATALOG_FORMATS.join('|')})`;
const DIGEST = '[0-9a-f]{64}';
const NUMBER = '[1-9]\\d*';
const COPY = `(?:round-${NUMBER}/)?[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}`;
/** Of a bucket, and of a folder. */
const VERSION = '\\d+(?:-\\d+-\\d+)?';

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);

/** Names within a batch's folder, the most special first. */
const PARTS: [BatchPart, RegExp][] = [
  ['table', whole(`manifest(?:-${NUMBER}){0,2}\\.jsonl`)],
  ['other', whole(`manifest(?:-${NUMBER}){0,2}\\.(?:json|csv)`)],
  ['other', whole(`_rounds/${NUMBER}\\.json`)],
  ['other', whole(`_catalog/catalog\\.${CATALOG}`)],
  ['other', whole(`_catalog/(?:corrected|decisions)-[0-9a-f]{12}\\.${CATALOG}`)],
  ['other', whole('_catalog/again-[0-9a-f]{12}\\.txt')],
  ['other', whole('_catalog/terms/[^/]+\\.txt')],
  ['other', whole('_sheet/(?:rows-[0-9a-f]{32}\\.js|sprite-[0-9a-f]{32}\\.webp)')],
  ['other', whole(`contact-sheet(?:-${NUMBER})?\\.(?:webp|html)`)],
  ['other', whole('changes\\.csv')],
  ['image', whole(`${COPY}\\.${IMAGE}`)],
];

/** The batch that an object belongs to, and what of it that is; `null` for what nothing here has written. */
export function batchPartOf(name: string): { batch: string; part: BatchPart } | null {
  const [, batch = '', rest = ''] = /^batches\/([^/]+)\/(.+)$/.exec(name) ?? [];
  if (!isBatchId(batch)) return null;
  if (name === removalName(batch)) return { batch, part: 'removal' };
  if (pieceOf(planFolder(batch), name) !== null) return { batch, part: 'plan' };
  if (pieceOf(receiptsFolder(batch), name) !== null) return { batch, part: 'receipts' };
  const [part] = PARTS.find(([, pattern]) => pattern.test(rest)) ?? [];
  return part === undefined ? null : { batch, part };
}

/** The id of the job whose image a batch's copy is. */
export const jobOfCopy = (batch: string, name: string): string =>
  name
    .slice(batchFolder(batch).length)
    .replace(/^round-\d+\//, '')
    .replace(/\.[^.]+$/, '');

/** Kinds of objects that are no batch's. */
export type LooseKind = 'objects' | 'checkpoints' | 'captions' | 'damaged';

const LOOSE: Record<LooseKind, { prefix: string; pattern: RegExp }> = {
  objects: { prefix: 'objects/', pattern: whole(`objects/${DIGEST}\\.${IMAGE}`) },
  checkpoints: { prefix: 'scratch/', pattern: whole(`scratch/${DIGEST}\\.latents`) },
  captions: { prefix: 'captions/', pattern: whole(`captions/${DIGEST}/([0-9a-f]{2})/\\1[0-9a-f]{62}`) },
  damaged: {
    prefix: 'damaged/',
    pattern: whole(
      `damaged/(?:objects/${DIGEST}|batches/[A-Za-z0-9][A-Za-z0-9._-]{0,99}/${COPY})\\.${VERSION}\\.${IMAGE}`,
    ),
  },
};

/** What the names of a kind begin with, for a listing. */
export const prefixOf = (kind: LooseKind): string => LOOSE[kind].prefix;

/** Whether that is the name of one of them, and not of what somebody else has put there. */
export const isOwn = (kind: LooseKind, name: string): boolean => LOOSE[kind].pattern.test(name);
