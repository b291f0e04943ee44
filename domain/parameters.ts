import { z } from 'zod';
import * as cells from './cells.ts';
import { copyNameSchema } from './copy-name.ts';
import { imageFormatSchema } from './image-format.ts';
import { jobIdSchema } from './job-id.ts';
import { binSchema, SIZES, sizeSchema } from './size.ts';

/** What credentials of signed pictures tell. */
export const SIGNED = ['without-prompt', 'with-prompt'] as const;

export type Signed = (typeof SIGNED)[number];

/** As the command line shows it: its argument, a line of help, and all that it can be. */
export type CommandOption = { argument: string; help?: string; oneOf?: readonly string[] };

/** What a catalog and the command line say of a parameter. */
type Asked = {
  /** Its name in catalogs and in the tables that are made of them. */
  column: string;
  /** Reads a cell; `undefined` is an empty one. */
  cell: cells.Cell;
  /** With expansion its cells may have choices: `{a|b}` and `__terms__` in texts, `a|b` in grids. */
  choices?: 'text' | 'grid';
  /** Makes it an option of `render`. */
  option?: CommandOption;
};

/** What a job says of it. */
type Resolved = {
  value: z.ZodType;
  /** It decides the picture: it is in the render key, in the image's metadata and in the table of a catalog's changes. */
  picture?: true;
  /** The field of a row of the review page, where images are told apart by it. */
  sheet?: string;
};

/** Some are only asked for, and others only follow from what is asked for. */
type Parameter = (Asked | { column?: never; cell?: never }) & (Resolved | { value?: never; picture?: never });

/**
 * The parameters of an image, in the order in which all lists and tables have them. What a job may lack is `optional()` and is left out
 * where it was not asked for, so that it changes no key of the images that do without it.
 */
const PARAMETERS = {
  id: { column: 'id', cell: cells.id.optional(), value: jobIdSchema },
  prompt: { column: 'prompt', cell: cells.prompt, choices: 'text', value: z.string(), picture: true },
  negativePrompt: {
    column: 'negative_prompt',
    cell: cells.negativePrompt,
    choices: 'text',
    option: { argument: '<text>', help: 'what not to show' },
    value: z.string(),
    picture: true,
    sheet: 'negative',
  },
  size: {
    column: 'size',
    cell: cells.size.optional(),
    choices: 'grid',
    option: { argument: '<size>', help: 'otherwise the smallest of the bundle', oneOf: SIZES },
    value: sizeSchema,
    picture: true,
    sheet: 'size',
  },
  /** Instead of width and height: the nearest bin as it is. */
  aspect: {
    column: 'aspect',
    cell: cells.aspect.optional(),
    choices: 'grid',
    option: { argument: '<w:h>', help: 'such as 16:9' },
  },
  /** Follows from size and shape. */
  bin: { value: binSchema, picture: true },
  /** Pixels of the finished image; the bin is resized and centre-cropped to width and height. */
  width: {
    column: 'width',
    cell: cells.whole(16, 16_384).optional(),
    option: { argument: '<pixels>', help: 'with --height; the image is cropped to exactly this' },
    value: z.int().positive(),
    picture: true,
  },
  height: {
    column: 'height',
    cell: cells.whole(16, 16_384).optional(),
    option: { argument: '<pixels>' },
    value: z.int().positive(),
    picture: true,
  },
  seed: {
    column: 'seed',
    cell: cells.whole(0, 0xffff_ffff).optional(),
    choices: 'grid',
    option: { argument: '<number>', help: 'otherwise derived from the prompt' },
    value: z.int().min(0).max(0xffff_ffff),
    picture: true,
    sheet: 'seed',
  },
  steps: {
    column: 'steps',
    cell: cells.whole(1, 200).optional(),
    choices: 'grid',
    option: { argument: '<number>' },
    value: z.int().positive(),
    picture: true,
    sheet: 'steps',
  },
  /** Strength of classifier-free guidance. */
  guidance: {
    column: 'guidance',
    cell: cells.decimal(1, 30).optional(),
    choices: 'grid',
    option: { argument: '<number>', help: '1 turns it off' },
    value: z.number().min(1),
    picture: true,
    sheet: 'guidance',
  },
  /** Above 1024 px, for all images of a batch: in one piece; in tiles where it is left out. */
  decode: { value: z.literal('whole').optional(), picture: true },
  /** Of the file; the same for all images of a batch. */
  format: { value: imageFormatSchema, picture: true },
  /** 1 … 100 for the lossy formats, null for PNG. */
  quality: { value: z.int().min(1).max(100).nullable(), picture: true },
  /** Whether the batch's own copy of it is signed, the same for all images of a batch; and whether its credential tells the prompt. */
  sign: { value: z.enum(SIGNED).optional() },
  /** Name of the batch's own copy in its folder, where a template decides it; otherwise it is called after the id. */
  copyAs: { value: copyNameSchema.optional() },
  /** Images of a row, each with another seed. */
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

/** `every('value')` is the value of every parameter that has one, by the parameters' keys and in their order. */
export function every<Property extends keyof Asked | keyof Resolved>(property: Property): Every<Property> {
  const lines: [string, Partial<Asked & Resolved>][] = Object.entries(PARAMETERS);
  const having = lines.filter(([, line]) => property in line);
  return Object.fromEntries(having.map(([key, line]) => [key, line[property]])) as Every<Property>;
}

/** The keys of an object whose type says all that it has. */
export const keysOf = <Values extends object>(values: Values) => Object.keys(values) as (keyof Values & string)[];

/** What catalogs call the parameters that they may say. */
export const COLUMN_OF = every('column');

type ColumnOf = typeof COLUMN_OF;

/** A column of a catalog that means something; any other travels along as metadata. */
export type Column = ColumnOf[keyof ColumnOf];

export const COLUMNS: readonly Column[] = Object.values(COLUMN_OF);

type ByColumn<Values> = {
  [Key in keyof Values as Key extends keyof ColumnOf ? ColumnOf[Key] : never]: Values[Key];
};

/** What is known by the parameters' keys, by the names of their columns instead; what has no column is left out. */
export const byColumn = <Values extends object>(values: Values): ByColumn<Values> =>
  Object.fromEntries(
    Object.entries(COLUMN_OF).flatMap(([key, column]) =>
      key in values ? [[column, values[key as keyof Values]]] : [],
    ),
  ) as ByColumn<Values>;

/** Columns whose choices are of this kind. */
const withChoices = (kind: 'text' | 'grid'): Column[] => {
  const choices = every('choices');
  return keysOf(choices).flatMap((key) => (choices[key] === kind ? [COLUMN_OF[key]] : []));
};

export const TEXT_COLUMNS = withChoices('text');

export const GRID_COLUMNS = withChoices('grid');

/** Every row can be found by these, besides the columns that its catalog carries along. */
export const ROW_COLUMNS: readonly string[] = Object.keys(byColumn(every('value')));
