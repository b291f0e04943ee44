import { UserError } from './user-error.ts';

export const CATALOG_FORMATS = ['csv', 'tsv', 'jsonl', 'txt', 'xlsx'] as const;

export type CatalogFormat = (typeof CATALOG_FORMATS)[number];

/** For help and messages. */
export const CATALOG_ENDINGS = '.csv, .tsv, .xlsx, .jsonl or .txt';

/** What to do with a file that is none of these. */
const OTHERWISE: Record<string, string> = {
  json: 'write one object per line, as .jsonl',
  ndjson: 'read it with --catalog-format jsonl',
  tab: 'read it with --catalog-format tsv',
  xlsm: 'read it with --catalog-format xlsx',
  ...Object.fromEntries(['xls', 'xlsb', 'ods', 'numbers'].map((name) => [name, 'save it as .xlsx or "CSV UTF-8"'])),
  ...Object.fromEntries(['md', 'text', 'list', 'prompts'].map((name) => [name, 'read it with --catalog-format txt'])),
};

/**
 * The format of a catalog, by its file name.
 * @throws UserError for any other ending
 */
export function catalogFormat(file: string): CatalogFormat {
  const ending = /\.([^./\\]*)$/.exec(file)?.[1]?.toLowerCase() ?? '';
  const format = CATALOG_FORMATS.find((name) => name === ending);
  if (format !== undefined) return format;
  const advice = Object.hasOwn(OTHERWISE, ending) ? `: ${OTHERWISE[ending]}` : '';
  throw new UserError(
    `${file}: expected a catalog whose name ends in ${CATALOG_ENDINGS}, or --catalog-format with one of ${CATALOG_FORMATS.join(', ')}${advice}`,
  );
}

/** How choices in a catalog's cells are expanded. */
export type ExpansionSettings = {
  /** URL of the folder with the terms files. */
  terms: string;
  /** How many combinations of a row to sample; null for all. */
  sample: number | null;
  /** Another seed samples other combinations. */
  sampleSeed: number;
  /** A row with more combinations than this is a problem. */
  maxPerRow: number;
};

/** Enough to compare, but few enough to catch a stray brace before the night does. */
export const MAX_PER_ROW = 1000;

/** @throws UserError for a sample seed without a sample */
export function checkDrawn({
  sample,
  sampleSeed,
}: {
  sample?: number | null | undefined;
  sampleSeed?: number | undefined;
}): void {
  if (sampleSeed === undefined || typeof sample === 'number') return;
  throw new UserError('--sample-seed: expected --sample as well, found none');
}
