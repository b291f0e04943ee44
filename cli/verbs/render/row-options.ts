import { Option } from 'commander';
import { COLUMN_OF, type CommandOption, every, keysOf } from '../../../domain/parameters.ts';
import type { Size } from '../../../domain/size.ts';

const OPTIONS = every('option');

/** One row of a catalog, as given on the command line; planning that row checks it. */
export type RowOptions = { [Key in 'prompt' | keyof typeof OPTIONS]?: string | undefined } & {
  size?: Size | undefined;
};

/** The options for the parameters of a row, in their order. */
export const rowOptions = (): Option[] =>
  keysOf(OPTIONS).map((key) => {
    const { argument, help, oneOf }: CommandOption = OPTIONS[key];
    const option = new Option(`--${COLUMN_OF[key].replaceAll('_', '-')} ${argument}`, help);
    return oneOf === undefined ? option : option.choices(oneOf);
  });

/** The row's part of a command's options. */
export const rowAsked = (prompt: string | undefined, given: RowOptions): RowOptions => ({
  prompt,
  ...Object.fromEntries(keysOf(OPTIONS).map((key) => [key, given[key]])),
});
