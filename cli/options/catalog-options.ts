import { type Command, InvalidArgumentError, Option } from 'commander';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import type { BatchRequest } from '../../client/index.ts';
import { CATALOG_FORMATS, type CatalogFormat, checkDrawn, MAX_PER_ROW } from '../../domain/catalog-settings.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../../domain/image-format.ts';
import type { Signed } from '../../domain/parameters.ts';
import { SIZES, type Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { bundleOption, storeOption, userProjectOption } from './common-options.ts';
import { notEmpty, wholeNumber } from './values.ts';

export const catalogFormatOption = (): Option =>
  new Option('--catalog-format <format>', 'of a catalog whose name does not tell').choices(CATALOG_FORMATS);

export const columnOption = (): Option =>
  new Option(
    '--column <ours=theirs>',
    'read one of our columns from another one, such as prompt=Caption; may be repeated',
  ).argParser(columnMapping);

export const sheetOption = (): Option =>
  new Option('--sheet <name>', 'of a workbook; otherwise the first that is not hidden').argParser(notEmpty('a sheet'));

const nameOption = (): Option =>
  new Option(
    '--name <template>',
    "the names of pictures in the batch's folder, such as {category}/{id}-{seed}.{ext}; fields are columns of the catalog and seed",
  );

const imageFormatOption = (): Option =>
  new Option('--image-format <format>', 'of the images').choices(IMAGE_FORMATS).default('png');

export const qualityOption = (): Option =>
  new Option('--quality <1-100>', 'of webp, avif or jpeg images').argParser(wholeNumber(1, 100));

export const decodeOption = (): Option =>
  new Option(
    '--decode <how>',
    'pictures above 1024 px: in tiles, or whole, nearer to diffusers for several times the memory',
  ).choices(['tiled', 'whole']);

export type SignOptions = { sign?: true; signPrompts?: true };

/** @returns what `defaults.sign` is to be */
export const signed = ({ sign, signPrompts }: SignOptions): Signed | undefined =>
  signPrompts ? 'with-prompt' : sign ? 'without-prompt' : undefined;

/** What a batch, a plan and a schedule are asked for in the same words. */
export type CatalogOptions = SignOptions & {
  store: string;
  bundle?: string;
  catalogFormat?: CatalogFormat;
  column?: Record<string, string>;
  sheet?: string;
  name?: string;
  size?: Size;
  seeds?: 'prompt' | 'fresh';
  expand?: true;
  terms?: string;
  sample?: number;
  sampleSeed?: number;
  maxPerRow?: number;
  imageFormat: ImageFormat;
  quality?: number;
  decode?: 'tiled' | 'whole';
};

export const catalogOptions = (): Option[] => [
  storeOption(),
  bundleOption(),
  catalogFormatOption(),
  columnOption(),
  sheetOption(),
  nameOption(),
  new Option('--size <size>', "for rows that do not say; otherwise the bundle's smallest").choices(SIZES),
  new Option(
    '--seeds <from>',
    'of rows without one: from their prompts, the same every time, or fresh, others in every batch',
  ).choices(['prompt', 'fresh']),
  imageFormatOption(),
  qualityOption(),
  decodeOption(),
  new Option('--sign', "sign the batch's own copies (C2PA), for which render workers need --sign-with and --sign-as"),
  new Option('--sign-prompts', 'sign them, with their prompts in the credentials'),
  new Option('--expand', 'make every combination of {a|b} and __terms__ in prompts, and of 10|20 in parameters'),
  new Option(
    '--terms <folder>',
    'expand, with name.txt from here for __name__; otherwise from the folder "terms" beside the catalog',
  ).argParser(notEmpty('a folder')),
  new Option('--sample <n>', 'expand, and draw n combinations of each row').argParser(
    wholeNumber(1, CATALOG_LIMITS.jobs),
  ),
  new Option('--sample-seed <n>', 'another number draws others').argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  new Option(
    '--max-per-row <n>',
    `expand, and refuse a row with more combinations; otherwise ${MAX_PER_ROW}`,
  ).argParser(wholeNumber(1, CATALOG_LIMITS.jobs)),
];

export const addCatalogOptions = (command: Command): Command => {
  for (const option of catalogOptions()) command.addOption(option);
  return command.addOption(userProjectOption());
};

type ExpansionOptions = Pick<CatalogOptions, 'terms' | 'sample' | 'sampleSeed' | 'maxPerRow'> & { expand?: boolean };

/** The expansion that options ask for; `undefined` where they ask for none. Each of them says that choices are to be expanded. */
export function expansionOf({ expand, terms, sample, sampleSeed, maxPerRow }: ExpansionOptions) {
  const given = Object.entries({ terms, sample, sampleSeed, maxPerRow }).filter(([, value]) => value !== undefined);
  return expand || given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** What the options say, in the client library's words. @throws UserError where one of them would change nothing */
export function batchRequest(catalog: string, options: CatalogOptions, bundle: BatchRequest['bundle']): BatchRequest {
  const { store, catalogFormat, column, sheet, name, size, seeds, imageFormat, quality, decode } = options;
  const sign = signed(options);
  if (quality !== undefined && imageFormat === 'png') {
    throw new UserError('--quality: expected --image-format webp, avif or jpeg beside it; png keeps every pixel');
  }
  checkDrawn(options);
  const defaults = {
    format: imageFormat,
    ...(size === undefined ? {} : { size }),
    ...(quality === undefined ? {} : { quality }),
    ...(seeds === 'fresh' ? { seeds } : {}),
    ...(decode === 'whole' ? { decode } : {}),
    ...(sign === undefined ? {} : { sign }),
  };
  return {
    catalog,
    store,
    bundle,
    format: catalogFormat,
    columns: column,
    sheet,
    naming: name,
    defaults,
    expansion: expansionOf(options),
  };
}

function columnMapping(text: string, before: Record<string, string> | undefined): Record<string, string> {
  const [name, theirs] = text.split(/=(.*)/s);
  const ours = name?.trim().toLowerCase();
  if (!ours || !theirs) throw new InvalidArgumentError('Expected <our column>=<column of the catalog>.');
  if (before !== undefined && Object.hasOwn(before, ours)) {
    throw new InvalidArgumentError(`${ours} is read from ${before[ours]} already.`);
  }
  return { ...before, [ours]: theirs };
}
