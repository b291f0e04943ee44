import { batchPartOf, copyIn } from '../cleaning/own-names.ts';
import { batchFolder } from '../records/layout.ts';

/** The kinds of removed objects, as reported and in order of removal: the records that lead to the rest come last. */
export const KINDS = [
  'pictures',
  'damaged files',
  'captions',
  'checkpoints',
  'copies',
  'sheets',
  'catalogs',
  'other files',
  'records',
] as const;

export type Kind = (typeof KINDS)[number];

const KIND_OF_NAME: [RegExp, Kind][] = [
  [/^(_sheet\/|contact-sheet(-\d+)?\.(webp|html)$)/, 'sheets'],
  [/^_catalog\//, 'catalogs'],
  [/^(_(plan|receipts|rounds)\/|manifest(-\d+){0,2}\.(jsonl?|csv)$|changes\.csv$)/, 'records'],
];

/** The kind of an object in a batch's folder. */
export function kindInBatch(batch: string, name: string): Kind {
  const inside = name.slice(batchFolder(batch).length);
  const found = KIND_OF_NAME.find(([pattern]) => pattern.test(inside))?.[1];
  return found ?? (copiedAs(batch, name) === null ? 'other files' : 'copies');
}

/** The name of a batch's copy of a picture within its folder; `null` for any other object. */
export const copiedAs = (batch: string, name: string): string | null =>
  batchPartOf(name)?.part === 'image' ? copyIn(batch, name) : null;
