import { CATALOG_FORMATS } from '../domain/catalog-settings.ts';
import { isCopyName } from '../domain/copy-name.ts';
import { extension, IMAGE_FORMATS } from '../domain/image-format.ts';
import {
  batchFolder,
  isBatchId,
  pieceOf,
  planFolder,
  receiptsFolder,
  removalName,
  undamagedName,
} from '../records/layout.ts';

/** Which part of a batch an object is. */
type BatchPart = 'image' | 'plan' | 'receipts' | 'table' | 'removal' | 'other';

const IMAGE = `(?:${IMAGE_FORMATS.map(extension).join('|')})`;
const CATALOG = `(?:${CATALOG_FORMATS.join('|')})`;
const DIGEST = '[0-9a-f]{64}';
const NUMBER = '[1-9]\\d*';
const ROUND = new RegExp(`^round-${NUMBER}/`);
/** A name with the version of a bucket's object, or of a folder's. */
const VERSIONED = new RegExp(`\\.\\d+(?:-\\d+-\\d+)?\\.${IMAGE}$`);

const whole = (pattern: string): RegExp => new RegExp(`^${pattern}$`);

/** Names within a batch's folder, the most specific first. */
const PARTS: [BatchPart, RegExp][] = [
  ['table', whole(`manifest(?:-${NUMBER}){0,2}\\.jsonl`)],
  ['other', whole(`manifest(?:-${NUMBER}){0,2}\\.(?:json|csv)`)],
  ['other', whole(`_rounds/${NUMBER}\\.json`)],
  ['other', whole(`_catalog/catalog\\.${CATALOG}`)],
  ['other', whole(`_catalog/(?:corrected|decisions)-[0-9a-f]{12}\\.${CATALOG}`)],
  ['other', whole('_catalog/again-[0-9a-f]{12}\\.txt')],
  ['other', whole('_catalog/terms/[^/]+\\.txt')],
  ['other', whole('_sheet/(?:rows-[0-9a-f]{32}\\.js|sprite-[0-9a-f]{32}\\.webp|message-[0-9a-f]{16}\\.jpg)')],
  ['other', whole(`contact-sheet(?:-${NUMBER})?\\.(?:webp|html)`)],
  ['other', whole('changes\\.csv')],
];

/** The batch that an object belongs to, and which part of it the object is; `null` for files that the product did not write. */
export function batchPartOf(name: string): { batch: string; part: BatchPart } | null {
  const [, batch = '', rest = ''] = /^batches\/([^/]+)\/(.+)$/.exec(name) ?? [];
  if (!isBatchId(batch)) return null;
  if (name === removalName(batch)) return { batch, part: 'removal' };
  if (pieceOf(planFolder(batch), name) !== null) return { batch, part: 'plan' };
  if (pieceOf(receiptsFolder(batch), name) !== null) return { batch, part: 'receipts' };
  const [part] = PARTS.find(([, pattern]) => pattern.test(rest)) ?? [];
  if (part !== undefined) return { batch, part };
  return isCopyName(withoutRound(rest)) ? { batch, part: 'image' } : null;
}

/** The name of a batch's copy within its folder, without the folder of the round that made it. */
export const copyIn = (batch: string, name: string): string => withoutRound(name.slice(batchFolder(batch).length));

const withoutRound = (name: string): string => name.replace(ROUND, '');

/** Kinds of objects that belong to no batch. */
export type LooseKind = 'objects' | 'checkpoints' | 'captions' | 'damaged';

const OBJECT = whole(`objects/${DIGEST}\\.${IMAGE}`);

const LOOSE: Record<LooseKind, { prefix: string; isOwn: (name: string) => boolean }> = {
  objects: { prefix: 'objects/', isOwn: matching(OBJECT) },
  checkpoints: { prefix: 'scratch/', isOwn: matching(whole(`scratch/${DIGEST}\\.latents`)) },
  captions: { prefix: 'captions/', isOwn: matching(whole(`captions/${DIGEST}/([0-9a-f]{2})/\\1[0-9a-f]{62}`)) },
  damaged: { prefix: 'damaged/', isOwn: isDamaged },
};

function matching(pattern: RegExp): (name: string) => boolean {
  return (name) => pattern.test(name);
}

function isDamaged(name: string): boolean {
  const before = undamagedName(name);
  if (before === null || !VERSIONED.test(name)) return false;
  return OBJECT.test(before) || batchPartOf(before)?.part === 'image';
}

/** The prefix of a kind's names, for a listing. */
export const prefixOf = (kind: LooseKind): string => LOOSE[kind].prefix;

/** Whether a name is one of the product's of that kind, and not that of a file that somebody else put there. */
export const isOwn = (kind: LooseKind, name: string): boolean => LOOSE[kind].isOwn(name);
