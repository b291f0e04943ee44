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
  new Option('--catalog-format <format>', 'format of the catalog, if its file name does not show it').choices(
    CATALOG_FORMATS,
  );

export const columnOption = (): Option =>
  new Option(
    '--column <ours=theirs>',
    'read one of our columns from a column with another name, such as prompt=Caption; repeatable',
  ).argParser(columnMapping);

export const sheetOption = (): Option =>
  new Option('--sheet <name>', 'sheet of a workbook; default: the first that is not hidden').argParser(
    notEmpty('a sheet'),
  );

const nameOption = (): Option =>
  new Option(
    '--name <template>',
    "names of the images in the batch's folder, such as {category}/{id}-{seed}.{ext}; fields: columns of the catalog, and seed",
  );

const imageFormatOption = (): Option =>
  new Option('--image-format <format>', 'format of the images').choices(IMAGE_FORMATS).default('png');

export const qualityOption = (): Option =>
  new Option('--quality <1-100>', 'quality of webp, avif or jpeg images').argParser(wholeNumber(1, 100));

export const decodeOption = (): Option =>
  new Option(
    '--decode <how>',
    'how to decode images above 1024 px: in tiles, or whole, which is closer to diffusers and needs several times the memory',
  ).choices(['tiled', 'whole']);

export type SignOptions = { sign?: true; signPrompts?: true };

/** @returns the value for `defaults.sign` */
export const signed = ({ sign, signPrompts }: SignOptions): Signed | undefined =>
  signPrompts ? 'with-prompt' : sign ? 'without-prompt' : undefined;

/** Options that `submit`, `plan` and `schedule create` share. */
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
  new Option('--size <size>', "size of rows without one; default: the bundle's smallest").choices(SIZES),
  new Option(
    '--seeds <from>',
    'seeds of rows without one: from the prompt, the same every time, or fresh in every batch',
  ).choices(['prompt', 'fresh']),
  imageFormatOption(),
  qualityOption(),
  decodeOption(),
  new Option('--sign', "sign the batch's own copies (C2PA); render workers need --sign-with and --sign-as"),
  new Option('--sign-prompts', 'sign them, and include their prompts in the credentials'),
  new Option('--expand', 'expand every combination of {a|b} and __terms__ in prompts, and of 10|20 in parameters'),
  new Option(
    '--terms <folder>',
    'expand, reading name.txt in this folder for __name__; default: the folder "terms" next to the catalog',
  ).argParser(notEmpty('a folder')),
  new Option('--sample <n>', 'expand, and pick n random combinations of each row').argParser(
    wholeNumber(1, CATALOG_LIMITS.jobs),
  ),
  new Option('--sample-seed <n>', 'seed of --sample; another seed picks other combinations').argParser(
    wholeNumber(0, Number.MAX_SAFE_INTEGER),
  ),
  new Option(
    '--max-per-row <n>',
    `expand, and refuse rows with more combinations than this; default: ${MAX_PER_ROW}`,
  ).argParser(wholeNumber(1, CATALOG_LIMITS.jobs)),
];

export const addCatalogOptions = (command: Command): Command => {
  for (const option of catalogOptions()) command.addOption(option);
  return command.addOption(userProjectOption());
};

type ExpansionOptions = Pick<CatalogOptions, 'terms' | 'sample' | 'sampleSeed' | 'maxPerRow'> & { expand?: boolean };

/** The requested expansion; `undefined` if there is none. Each of these options turns expansion on. */
export function expansionOf({ expand, terms, sample, sampleSeed, maxPerRow }: ExpansionOptions) {
  const given = Object.entries({ terms, sample, sampleSeed, maxPerRow }).filter(([, value]) => value !== undefined);
  return expand || given.length > 0 ? Object.fromEntries(given) : undefined;
}

/** The options as a request to the client library. @throws UserError if one of them would have no effect */
export function batchRequest(catalog: string, options: CatalogOptions, bundle: BatchRequest['bundle']): BatchRequest {
  const { store, catalogFormat, column, sheet, name, size, seeds, imageFormat, quality, decode } = options;
  const sign = signed(options);
  if (quality !== undefined && imageFormat === 'png') {
    throw new UserError('--quality: expected --image-format webp, avif or jpeg as well; png keeps every pixel');
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
    throw new InvalidArgumentError(`${ours} is already read from ${before[ours]}.`);
  }
  return { ...before, [ours]: theirs };
}
