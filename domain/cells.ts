import { z } from 'zod';
import { ID_RULE, IN_BATCH_BYTES, idFault, isCatalogId, strangerIn } from './job-id.ts';
import { SIZES } from './size.ts';

/** Parser for a cell of a catalog: its text becomes a value, or a message says what was expected. */
export type Cell = z.ZodType<unknown, string | undefined>;

/** Spreadsheets and data frames sometimes write whole numbers as "42.0"; but "2.000" may be two thousand. */
export function whole(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}(\.0{1,2})?$/, expected)
    .transform(Number)
    .pipe(z.int().min(min, expected).max(max, expected));
}

export function decimal(min: number, max: number) {
  const expected = `a number from ${min} to ${max}`;
  return z
    .string()
    .regex(/^\d{1,12}(\.\d{1,12})?$/, expected)
    .transform(Number)
    .pipe(z.number().min(min, expected).max(max, expected));
}

export const size = z
  .string()
  .toLowerCase()
  .pipe(z.enum(SIZES, `one of ${SIZES.join(', ')}`));

/** Zero-width spaces and the like are not white space, and get copied along with text from web pages. */
const VISIBLE = /[^\p{White_Space}\p{Default_Ignorable_Code_Point}]/u;

/** What a spreadsheet shows for a formula without a value. */
const SPREADSHEET_ERROR = /^#(REF!|N\/A|NAME\?|VALUE!|DIV\/0!|NULL!|NUM!|SPILL!|CALC!|ERROR!)$/;

const hasValue = (text: string): boolean => !SPREADSHEET_ERROR.test(text);

export const prompt = z
  .string('a prompt')
  .regex(VISIBLE, 'a prompt with a visible character')
  .refine(hasValue, 'a prompt, not the error of a spreadsheet formula');

export const negativePrompt = z.string().refine(hasValue, 'text, not the error of a spreadsheet formula').default('');

export const id = z
  .string()
  .transform((id) => id.normalize('NFC'))
  .refine(isCatalogId, { error: ({ input }) => `${ID_RULE}${strangerIn(String(input))}`, abort: true })
  .refine((id) => idFault(id, IN_BATCH_BYTES) === null, {
    error: ({ input }) =>
      `an id that every system accepts as a file name (this is ${idFault(String(input), IN_BATCH_BYTES)})`,
  });

type Shape = { width: number; height: number };

/** The bins range from 1:4 to 4:1; beyond that, most of an image would be cropped. */
export const isWithinBins = ({ width, height }: Shape): boolean => width <= 4 * height && height <= 4 * width;

const ASPECT_RULE = 'a ratio of width to height from 1:4 to 4:1, such as "16:9" or "1.5"';

/** A spreadsheet takes `32:9` for a time and writes `32:09:00`. */
export const aspect = z
  .string()
  .regex(/^\d{1,5}(\.\d{1,5})?(\s*:\s*\d{1,5}(\.\d{1,5})?(:00)?)?$/, ASPECT_RULE)
  .transform((text): Shape => {
    const [width = 0, height = 1] = text.split(':').map(Number);
    return { width, height };
  })
  .refine((shape) => shape.height > 0 && isWithinBins(shape), ASPECT_RULE);
