import { COLUMNS, type Column } from '../../domain/parameters.ts';
import { quoted } from '../../domain/printable.mjs';
import { UserError } from '../../domain/user-error.ts';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import type { Problems } from '../problems.ts';
import { foldedName } from './folded-name.ts';
import { mappingText, promptColumn } from './foreign-columns.ts';

/** A column of the file, its position counted from 0. */
type FileColumn = { position: number; name: string };

/** Which columns of the file are read as ours, and which are carried over. */
export type ColumnMap = {
  known: ReadonlyMap<Column, FileColumn>;
  metadata: readonly FileColumn[];
  /** Columns with an empty header, which spreadsheets leave on the right; their cells must be empty too. */
  unnamed: readonly FileColumn[];
  count: number;
};

/** Whether a header has the prompt's column. */
export const hasPrompt =
  ({ prompt }: Readonly<Record<string, string>>) =>
  (names: readonly string[]): boolean =>
    names.some((name) => foldedName(name) === foldedName(prompt ?? 'prompt'));

const isColumn = (name: string): name is Column => COLUMNS.some((column) => column === name);

/**
 * Checks a mapping of our columns to the file's names, as `--column prompt=Caption` gives it.
 * @throws UserError for a column that is not ours
 */
export function checkMapping(mapping: Readonly<Record<string, string>>): void {
  const unknown = Object.keys(mapping).filter((column) => !isColumn(column));
  if (unknown.length === 0) return;
  throw new UserError(
    `column mapping: expected one of ${COLUMNS.join(', ')} before the "=", found ${unknown.map(quoted).join(', ')}`,
  );
}

/**
 * Reads a header. Adds a problem for each missing or duplicate column, and returns null if there was one.
 * @param mapping our column → the file's name for it
 */
export function mapColumns(
  header: readonly string[],
  mapping: Readonly<Record<string, string>>,
  line: number,
  problems: Problems,
): ColumnMap | null {
  const before = problems.total;
  const report: Report = (column, expected, found) => problems.add({ line, column, expected, found });
  if (header.length > CATALOG_LIMITS.columns)
    report(null, `at most ${CATALOG_LIMITS.columns} columns`, `${header.length}`);
  const columns = header.map((name, position): FileColumn => ({ position, name: name.trim() }));
  const known = findKnown(columns, mapping, report);
  const taken = new Set(known.values());
  const others = columns.filter((column) => !taken.has(column));
  const metadata = others.filter(({ name }) => name !== '');
  reportTwins(metadata, report);
  const unnamed = others.filter(({ name }) => name === '');
  problems.noteColumns(metadata.map(({ name }) => name).filter((name) => !isColumn(foldedName(name))));
  return problems.total > before ? null : { known, metadata, unnamed, count: header.length };
}

type Report = (column: string | null, expected: string, found: string) => void;

function findKnown(
  columns: readonly FileColumn[],
  mapping: Readonly<Record<string, string>>,
  report: Report,
): Map<Column, FileColumn> {
  const known = new Map<Column, FileColumn>();
  for (const column of mappedFirst(mapping)) {
    const wanted = mapping[column];
    const taken = new Set(known.values());
    const [first, ...more] = called(column, wanted, columns).filter((candidate) => !taken.has(candidate));
    if (first !== undefined) {
      known.set(column, first);
      if (more.length > 0) report(column, 'one such column', `${more.length + 1}: ${listed([first, ...more])}`);
    } else if (wanted !== undefined) {
      report(column, `a column ${quoted(wanted)}, as mapped`, whatIsThere(columns));
    } else if (column === 'prompt') {
      report(
        column,
        'a column "prompt"; map another with --column prompt=<name>',
        `${whatIsThere(columns)}${promptAdvice(columns)}`,
      );
    }
  }
  return known;
}

function reportTwins(columns: readonly FileColumn[], report: Report): void {
  const seen = new Set<string>();
  for (const { name } of columns) {
    if (seen.has(name)) report(name, 'one column of that name', 'two');
    seen.add(name);
  }
}

/** A mapping may use a name that would otherwise be another of our columns. */
const mappedFirst = (mapping: Readonly<Record<string, string>>): Column[] =>
  COLUMNS.toSorted((a, b) => Number(mapping[b] !== undefined) - Number(mapping[a] !== undefined));

/** The candidate columns: a mapping prefers the exact name; otherwise folded names are compared. */
function called(column: Column, wanted: string | undefined, columns: readonly FileColumn[]): FileColumn[] {
  const exact = columns.filter(({ name }) => name === wanted?.trim());
  return exact.length > 0 ? exact : columns.filter(({ name }) => foldedName(name) === foldedName(wanted ?? column));
}

const listed = (columns: readonly FileColumn[]): string =>
  columns
    .slice(0, 20)
    .map(({ name }) => quoted(name))
    .join(', ');

function promptAdvice(columns: readonly FileColumn[]): string {
  const meant = promptColumn(columns.map(({ name }) => name));
  if (meant !== undefined) return `; is it --column ${mappingText('prompt', meant)}?`;
  return isTitle(columns) ? '. The first row must be the header: remove everything above it' : '';
}

/** A single text, such as a title above a table. */
const isTitle = (columns: readonly FileColumn[]): boolean =>
  columns.filter(({ name }) => name !== '').length === 1 && (columns.length > 1 || /\s/.test(columns[0]!.name));

function whatIsThere(columns: readonly FileColumn[]): string {
  const [only, ...more] = columns.filter(({ name }) => name !== '');
  if (only === undefined) return 'no columns';
  if (more.length > 0) return `the columns ${listed([only, ...more])}`;
  const separator = /[;\t|,]/.exec(only.name)?.[0];
  const hint = `; are cells separated by ${quoted(separator ?? '')}? Commas make a .csv, tabs a .tsv`;
  return `the column ${quoted(only.name)}${separator === undefined ? '' : hint}`;
}
