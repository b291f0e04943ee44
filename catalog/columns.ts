import { LIMITS } from './limits.ts';
import { type Problems, quoted } from './problems.ts';
import { UserError } from './user-error.ts';

/** The columns that mean something; any other travels along as metadata. */
export const COLUMNS = [
  'id',
  'prompt',
  'negative_prompt',
  'size',
  'aspect',
  'width',
  'height',
  'seed',
  'steps',
  'guidance',
  'variants',
  'priority',
] as const;

export type Column = (typeof COLUMNS)[number];

/** Which column of the file is read as which of ours, and which travel along. Positions count from 0. */
export type ColumnMap = {
  known: ReadonlyMap<Column, { position: number; name: string }>;
  metadata: readonly { position: number; name: string }[];
  /** Columns with an empty header, such as spreadsheets leave at the right; their cells must be empty too. */
  unnamed: readonly number[];
  count: number;
};

/** Case, spaces and hyphens do not tell columns apart: "Negative Prompt" is `negative_prompt`. */
const fold = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s-]+/g, '_');

const isColumn = (name: string): name is Column => COLUMNS.some((column) => column === name);

const listed = (names: readonly string[]): string => names.slice(0, 20).map(quoted).join(', ');

/**
 * Checks a mapping of our columns to the file's names, as `--column prompt=Caption` gives it.
 * @throws UserError for a column that is not ours
 */
export function checkMapping(mapping: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(mapping).filter((column) => !isColumn(column));
  if (unknown.length === 0) return;
  throw new UserError(`column mapping: expected one of ${COLUMNS.join(', ')} before the "=", found ${listed(unknown)}`);
}

/**
 * Reads a header. Adds a problem for each column that is missing or there twice, and returns null if there was one.
 * @param mapping our column → the file's name for it
 */
export function mapColumns(
  header: readonly string[],
  mapping: Readonly<Record<string, string>>,
  line: number,
  problems: Problems,
): ColumnMap | null {
  const before = problems.total;
  const report = (column: string | null, expected: string, found: string): void =>
    problems.add({ line, column, expected, found });
  const names = header.map((name) => name.trim());
  if (names.length > LIMITS.columns) report(null, `at most ${LIMITS.columns} columns`, `${names.length}`);

  const known = new Map<Column, { position: number; name: string }>();
  const taken = new Set<number>();
  for (const column of mappedFirst(mapping)) {
    const positions = positionsOf(names, column, mapping[column]).filter((position) => !taken.has(position));
    const [position] = positions;
    if (position !== undefined) {
      known.set(column, { position, name: names[position] ?? column });
      taken.add(position);
    }
    if (positions.length > 1) report(column, 'one such column', `${positions.length}: ${at(names, positions)}`);
    if (positions.length === 0 && mapping[column] !== undefined) {
      report(column, `a column ${quoted(mapping[column])}, as the mapping says`, found(names));
    } else if (positions.length === 0 && column === 'prompt') {
      report(column, 'a column "prompt"; another can be named with --column prompt=<name>', found(names));
    }
  }

  const metadata: { position: number; name: string }[] = [];
  const unnamed: number[] = [];
  const seen = new Set<string>();
  for (const [position, name] of names.entries()) {
    if (taken.has(position)) continue;
    if (seen.has(name)) report(name, 'one column of that name', 'two');
    if (name === '') {
      unnamed.push(position);
    } else {
      seen.add(name);
      metadata.push({ position, name });
    }
  }
  return problems.total > before ? null : { known, metadata, unnamed, count: names.length };
}

/** A mapping may take a name that would otherwise be another of our columns. */
const mappedFirst = (mapping: Readonly<Record<string, string>>): Column[] =>
  COLUMNS.toSorted((a, b) => Number(mapping[b] !== undefined) - Number(mapping[a] !== undefined));

/** A mapping goes by the exact name where there is one; otherwise the folded name decides. */
function positionsOf(names: readonly string[], column: Column, wanted: string | undefined): number[] {
  const where = (test: (name: string) => boolean): number[] =>
    names.flatMap((name, position) => (test(name) ? [position] : []));
  const exact = wanted === undefined ? [] : where((name) => name === wanted.trim());
  return exact.length > 0 ? exact : where((name) => fold(name) === fold(wanted ?? column));
}

const at = (names: readonly string[], positions: readonly number[]): string =>
  listed(positions.map((position) => names[position] ?? ''));

function found(names: readonly string[]): string {
  const separator = names.length === 1 ? /[;\t|,]/.exec(names[0] ?? '')?.[0] : undefined;
  const hint =
    separator === undefined ? '' : `; are cells separated by ${quoted(separator)}? Commas make a .csv, tabs a .tsv`;
  return `${names.length === 1 ? 'the column' : 'the columns'} ${listed(names)}${hint}`;
}
