import { Option } from 'commander';
import { COLUMN_OF, type CommandOption, every, keysOf } from '../../../domain/parameters.ts';
import type { Size } from '../../../domain/size.ts';

const OPTIONS = every('option');

/** One row of a catalog as a command line says it; a plan of that row checks it. */
export type RowOptions = { [Key in 'prompt' | keyof typeof OPTIONS]?: string | undefined } & {
  size?: Size | undefined;
};

/** The options that say a row, in the order of the parameters. */
export const rowOptions = (): Option[] =>
  keysOf(OPTIONS).map((key) => {
    const { argument, help, oneOf }: CommandOption = OPTIONS[key];
    const option = new Option(`--${COLUMN_OF[key].replaceAll('_', '-')} ${argument}`, help);
    return oneOf === undefined ? option : option.choices(oneOf);
  });

/** What a command was given of a row, without its other options. */
export const rowAsked = (prompt: string | undefined, given: RowOptions): RowOptions => ({
  prompt,
  ...Object.fromEntries(keysOf(OPTIONS).map((key) => [key, given[key]])),
});
