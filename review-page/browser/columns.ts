import type { SheetHead, SheetRow } from '../format.ts';

/** What every row says under one name. */
export type Named = { name: string; textOf: (row: SheetRow) => string };

/** The parameters that images are told apart by. */
export const parametersOf = ({ parameters }: Pick<SheetHead, 'parameters'>): Named[] =>
  parameters.map(({ name, field }) => ({ name, textOf: (row) => String(row[field] ?? '') }));

/** The catalog's other columns. */
export const carriedOf = ({ columns }: Pick<SheetHead, 'columns'>): Named[] =>
  columns.map((name, at) => ({ name, textOf: (row) => row.values[at] ?? '' }));
