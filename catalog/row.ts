import { z } from 'zod';
import { jobIdSchema } from '../domain/job.ts';
import { SIZES } from '../domain/size.ts';
import { LIMITS } from './catalog-limits.ts';
import { GRID_COLUMNS } from './expansion/expand-cells.ts';
import { type Problems, quoted } from './problems.ts';
import type { Column } from './reading/columns.ts';
import type { RawRow } from './reading/raw-row.ts';

/** Names beside which a batch keeps files of its own. */
const RESERVED_IDS = ['manifest', 'contact-sheet'];
const MAX_ID = 120;
const ID_RULE = `1 to ${MAX_ID} letters, digits, ".", "_" or "-", not starting with "."`;

/** Zero-width spaces and the like are no white space, and come along when text is copied from a page. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;

/** Spreadsheets and data frames write whole numbers as "42.0" now and then. */
const whole = (min: number, max: number) => {
  const expected = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}(\.0+)?$/, expected)
    .transform(Number)
    .pipe(z.int().min(min, expected).max(max, expected));
};

const decimal = (min: number, max: number) => {
  const expected = `a number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}(\.\d{1,12})?$/, expected)
    .transform(Number)
    .pipe(z.number().min(min, expected).max(max, expected));
};

/** Width to height, as "16:9" or "1.5". The bins reach from 1:4 to 4:1; beyond them most of a picture would be cut off. */
const ASPECT_RULE = 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"';

type Shape = { width: number; height: number };

const inBins = ({ width, height }: Shape): boolean => width <= 4 * height && height <= 4 * width;

const aspect = z
  .string()
  .regex(/^\d{1,5}(\.\d{1,5})?(\s*:\s*\d{1,5}(\.\d{1,5})?)?$/, ASPECT_RULE)
  .transform((text): Shape => {
    const [width = 0, height = 1] = text.split(':').map(Number);
    return { width, height };
  })
  .refine((shape) => shape.height > 0 && inBins(shape), ASPECT_RULE);

/** The text of a row's cells, turned into values. A message says what was expected. */
const rowSchema = z.object({
  id: z
    .string()
    .refine((id) => id.length <= MAX_ID && jobIdSchema.safeParse(id).success, ID_RULE)
    .refine((id) => !RESERVED_IDS.includes(id.toLowerCase()), `another id than ${RESERVED_IDS.join(' and ')}`)
    .optional(),
  prompt: z.string('a prompt').regex(VISIBLE, 'a prompt with a character that can be seen'),
  negative_prompt: z.string().default(''),
  size: z
    .string()
    .toLowerCase()
    .pipe(z.enum(SIZES, `one of ${SIZES.join(', ')}`))
    .optional(),
  aspect: aspect.optional(),
  width: whole(16, 16_384).optional(),
  height: whole(16, 16_384).optional(),
  seed: whole(0, 0xffff_ffff).optional(),
  steps: whole(1, 200).optional(),
  guidance: decimal(1, 30).optional(),
  variants: whole(1, LIMITS.variants).default(1),
  priority: whole(1, 5).default(3),
});

export type Row = z.infer<typeof rowSchema>;

/** Validates one row's cells; adds a problem for each that is wrong, and returns null if one was. */
export function parseRow(raw: RawRow, problems: Problems): Row | null {
  const before = problems.total;
  const report = (column: Column, expected: string): void => {
    const value = raw.values[column];
    const found = value === undefined ? 'nothing' : `${quoted(value)}${gridHint(column, value)}`;
    problems.add({ line: raw.line, column: raw.columns.get(column)?.name ?? column, expected, found });
  };
  const { aspect, width, height } = raw.values;
  if (aspect !== undefined && (width ?? height) !== undefined) report('aspect', 'either aspect or width and height');
  if (width !== undefined && height === undefined) report('height', 'a height beside the width');
  if (height !== undefined && width === undefined) report('width', 'a width beside the height');

  const result = rowSchema.safeParse(raw.values);
  if (!result.success) {
    for (const issue of result.error.issues) report(issue.path[0] as Column, issue.message);
  } else if (result.data.width !== undefined && result.data.height !== undefined) {
    const shape = { width: result.data.width, height: result.data.height };
    if (!inBins(shape)) report('height', 'a height between a quarter of the width and four times the width');
  }
  return problems.total > before || !result.success ? null : result.data;
}

/** With expansion no such cell comes here: it has been taken apart. */
const gridHint = (column: Column, value: string): string =>
  value.includes('|') && GRID_COLUMNS.some((grid) => grid === column) ? '; --expand takes these one by one' : '';
