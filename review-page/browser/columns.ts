import type { SheetHead, SheetRow } from '../format.ts';

/** A named value that every row has. */
export type Named = {
  name: string;
  textOf: (row: SheetRow) => string;
  /** It is a column of the catalog, which may have the same name as one of ours. */
  isCarried?: true;
};

type Parameters = Pick<SheetHead, 'parameters'>;

const ORDER = ['seed', 'steps', 'guidance', 'size'];

/** The parameters that distinguish images and have short values. */
export const shortOf = (head: Parameters): Named[] => inOrder(named(head, false), ORDER);

/** The parameters that are free text, which may be long. */
export const textsOf = (head: Parameters): Named[] => named(head, true);

/** The catalog's other columns. */
export const carriedOf = ({ columns }: Pick<SheetHead, 'columns'>): Named[] =>
  columns.map((name, at) => ({ name, textOf: (row) => row.values[at] ?? '', isCarried: true }));

/** The listed ones first, in the order of the list; then the others in their own order. */
export function inOrder(all: Named[], listed: readonly string[]): Named[] {
  const rank = ({ name }: Named): number => (listed.includes(name) ? listed.indexOf(name) : listed.length);
  return all.toSorted((a, b) => rank(a) - rank(b));
}

const named = ({ parameters }: Parameters, isText: boolean): Named[] =>
  parameters
    .filter((parameter) => parameter.isText === isText)
    .map(({ name, field }) => ({ name, textOf: (row) => String(row[field] ?? '') }));
