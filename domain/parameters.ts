import { z } from 'zod';
import * as cells from './cells.ts';
import { copyNameSchema } from './copy-name.ts';
import { imageFormatSchema } from './image-format.ts';
import { jobIdSchema } from './job-id.ts';
import { binSchema, SIZES, sizeSchema } from './size.ts';

/** Whether the credentials of signed images include the prompt. */
export const SIGNED = ['without-prompt', 'with-prompt'] as const;

export type Signed = (typeof SIGNED)[number];

/** The strongest guidance of a row, and of a bundle's default. */
export const MOST_GUIDANCE = 30;

/** A command line option: its argument, a line of help, and its choices. */
export type CommandOption = { argument: string; help?: string; oneOf?: readonly string[] };

/** A parameter in catalogs and on the command line. */
type Asked = {
  /** Its column name in catalogs and in tables made from them. */
  column: string;
  /** Parses a cell; `undefined` is an empty one. */
  cell: cells.Cell;
  /** With expansion, its cells may contain choices: `{a|b}` and `__terms__` in texts, `a|b` in grids. */
  choices?: 'text' | 'grid';
  /** Makes it an option of `render`. */
  option?: CommandOption;
};

/** A parameter in jobs. */
type Resolved = {
  value: z.ZodType;
  /** It affects the image: it is part of the render key, of the image's metadata and of the table of a catalog's changes. */
  picture?: true;
  /** The field of the review page's rows that distinguishes images by it. */
  sheet?: string;
};

/** Some parameters exist only in requests, others only follow from the request. */
type Parameter = (Asked | { column?: never; cell?: never }) & (Resolved | { value?: never; picture?: never });

/**
 * The parameters of an image, in the order of all lists and tables. Those that a job may lack are `optional()`, and are left
 * out unless requested, so that they do not change the render keys of images without them.
 */
const PARAMETERS = {
  id: { column: 'id', cell: cells.id.optional(), value: jobIdSchema },
  prompt: { column: 'prompt', cell: cells.prompt, choices: 'text', value: z.string(), picture: true },
  negativePrompt: {
    column: 'negative_prompt',
    cell: cells.negativePrompt,
    choices: 'text',
    option: { argument: '<text>', help: 'what the image should not show' },
    value: z.string(),
    picture: true,
    sheet: 'negative',
  },
  size: {
    column: 'size',
    cell: cells.size.optional(),
    choices: 'grid',
    option: { argument: '<size>', help: "size of the image; default: the bundle's smallest", oneOf: SIZES },
    value: sizeSchema,
    picture: true,
    sheet: 'size',
  },
  /** Instead of width and height: uses the nearest bin as it is. */
  aspect: {
    column: 'aspect',
    cell: cells.aspect.optional(),
    choices: 'grid',
    option: { argument: '<w:h>', help: 'aspect ratio, such as 16:9' },
  },
  /** Follows from size and shape. */
  bin: { value: binSchema, picture: true },
  /** Pixels of the finished image; the bin is resized and centre-cropped to width and height. */
  width: {
    column: 'width',
    cell: cells.whole(16, 16_384).optional(),
    option: { argument: '<pixels>', help: 'exact width, with --height; the image is cropped to it' },
    value: z.int().positive(),
    picture: true,
  },
  height: {
    column: 'height',
    cell: cells.whole(16, 16_384).optional(),
    option: { argument: '<pixels>', help: 'exact height, with --width' },
    value: z.int().positive(),
    picture: true,
  },
  seed: {
    column: 'seed',
    cell: cells.whole(0, 0xffff_ffff).optional(),
    choices: 'grid',
    option: { argument: '<number>', help: 'seed of the noise; default: derived from the prompt' },
    value: z.int().min(0).max(0xffff_ffff),
    picture: true,
    sheet: 'seed',
  },
  steps: {
    column: 'steps',
    cell: cells.whole(1, 200).optional(),
    choices: 'grid',
    option: { argument: '<number>', help: "denoising steps; default: the bundle's" },
    value: z.int().positive(),
    picture: true,
    sheet: 'steps',
  },
  /** Strength of classifier-free guidance. */
  guidance: {
    column: 'guidance',
    cell: cells.decimal(1, MOST_GUIDANCE).optional(),
    choices: 'grid',
    option: { argument: '<number>', help: "strength of guidance, 1 turns it off; default: the bundle's" },
    value: z.number().min(1),
    picture: true,
    sheet: 'guidance',
  },
  /** For images above 1024 px, for the whole batch: decode in one piece; absent: in tiles. */
  decode: { value: z.literal('whole').optional(), picture: true },
  /** File format; the same for all images of a batch. */
  format: { value: imageFormatSchema, picture: true },
  /** 1 … 100 for the lossy formats, null for PNG. */
  quality: { value: z.int().min(1).max(100).nullable(), picture: true },
  /** Whether the batch's own copies are signed, and whether their credentials include the prompt; the same for the whole batch. */
  sign: { value: z.enum(SIGNED).optional() },
  /** Name of the batch's own copy in its folder, from a template; absent: named after the id. */
  copyAs: { value: copyNameSchema.optional() },
  /** Number of images of a row, each with a different seed. */
  variants: { column: 'variants', cell: cells.whole(1, 1000).default(1) },
  /** 1 (first) … 5 (last). */
  priority: { column: 'priority', cell: cells.whole(1, 5).default(3), value: z.int().min(1).max(5) },
} as const satisfies Record<string, Parameter>;

type Table = typeof PARAMETERS;

/** One property of all parameters that have it, by their keys. */
export type Every<Property extends keyof Asked | keyof Resolved> = {
  [Key in keyof Table as Table[Key] extends Record<Property, unknown> ? Key : never]: Table[Key][Property &
    keyof Table[Key]];
};

/** `every('value')` is the `value` of every parameter that has one, by the parameters' keys and in their order. */
export function every<Property extends keyof Asked | keyof Resolved>(property: Property): Every<Property> {
  const lines: [string, Partial<Asked & Resolved>][] = Object.entries(PARAMETERS);
  const having = lines.filter(([, line]) => property in line);
  return Object.fromEntries(having.map(([key, line]) => [key, line[property]])) as Every<Property>;
}

/** The keys of an object, typed; its type must list all of them. */
export const keysOf = <Values extends object>(values: Values) => Object.keys(values) as (keyof Values & string)[];

/** Column names of the parameters that catalogs may set. */
export const COLUMN_OF = every('column');

type ColumnOf = typeof COLUMN_OF;

/** A known column of a catalog; any other is carried over as metadata. */
export type Column = ColumnOf[keyof ColumnOf];

export const COLUMNS: readonly Column[] = Object.values(COLUMN_OF);

type ByColumn<Values> = {
  [Key in keyof Values as Key extends keyof ColumnOf ? ColumnOf[Key] : never]: Values[Key];
};

/** Renames parameters' keys to their column names; keys without a column are left out. */
export const byColumn = <Values extends object>(values: Values): ByColumn<Values> =>
  Object.fromEntries(
    Object.entries(COLUMN_OF).flatMap(([key, column]) =>
      key in values ? [[column, values[key as keyof Values]]] : [],
    ),
  ) as ByColumn<Values>;

/** Columns with choices of this kind. */
const withChoices = (kind: 'text' | 'grid'): Column[] => {
  const choices = every('choices');
  return keysOf(choices).flatMap((key) => (choices[key] === kind ? [COLUMN_OF[key]] : []));
};

export const TEXT_COLUMNS = withChoices('text');

export const GRID_COLUMNS = withChoices('grid');

/** Columns that every row can be filtered by, besides its carried columns. */
export const ROW_COLUMNS: readonly string[] = Object.keys(byColumn(every('value')));
