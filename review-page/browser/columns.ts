import type { SheetHead, SheetRow } from '../format.ts';

/** What every row says under one name. */
export type Named = {
  name: string;
  textOf: (row: SheetRow) => string;
  /** It is the catalog's, which may have the name of one of ours. */
  isCarried?: true;
};

type Parameters = Pick<SheetHead, 'parameters'>;

const ORDER = ['seed', 'steps', 'guidance', 'size'];

/** The parameters that images are told apart by and that take few characters. */
export const shortOf = (head: Parameters): Named[] => inOrder(named(head, false), ORDER);

/** Those that are free text, which may be long. */
export const textsOf = (head: Parameters): Named[] => named(head, true);

/** The catalog's other columns. */
export const carriedOf = ({ columns }: Pick<SheetHead, 'columns'>): Named[] =>
  columns.map((name, at) => ({ name, textOf: (row) => row.values[at] ?? '', isCarried: true }));

/** Those that are listed first, as they are listed; the others behind them as they came. */
export function inOrder(all: Named[], listed: readonly string[]): Named[] {
  const rank = ({ name }: Named): number => (listed.includes(name) ? listed.indexOf(name) : listed.length);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

const named = ({ parameters }: Parameters, isText: boolean): Named[] =>
  parameters
    .filter((parameter) => parameter.isText === isText)
    .map(({ name, field }) => ({ name, textOf: (row) => String(row[field] ?? '') }));
