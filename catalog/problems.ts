import { named } from '../domain/printable.mjs';
import { UserError } from '../domain/user-error.ts';
import { type ColumnHint, columnHints, columnHintText } from './reading/foreign-columns.ts';

/** One thing to fix in a catalog. */
export type Problem = {
  /** The first line of the row, counted from 1; null for the whole file. */
  line: number | null;
  /** The column's name in the file. */
  column: string | null;
  /** The cell of a workbook, as `Sheet1!B7`. */
  place?: string;
  expected: string;
  found: string;
};

const LISTED = 100;

/** In JSON lines every row may have different ones. */
const COLUMNS_NOTED = 1_000;
const HINTS = 20;

const NOT_TOLD = 'something else ("npx pixart-batch plan" shows it)';

/** Names of places in a workbook, as spreadsheets show them. */
export type Places = {
  of(line: number, column: string | null): string;
  row(line: number): string;
};

const describe = ({ line, column, place, expected, found }: Problem): string => {
  const where =
    place === undefined
      ? [line === null ? [] : `line ${line}`, column === null ? [] : named(column)].flat().join(', ')
      : `${place}${column === null ? '' : ` (${named(column)})`}`;
  return `${where && `${where}: `}expected ${expected}, found ${found}`;
};

/** A catalog that cannot be planned. Its `name` stays `UserError`, the type that is never retried. */
export class CatalogError extends UserError {
  readonly file: string;
  /** The first hundred, in the order of lines. */
  readonly problems: readonly Problem[];
  /** How many there are in all. */
  readonly total: number;
  /** Unknown columns that may have been meant as one of ours. */
  readonly columns: readonly ColumnHint[];

  constructor(file: string, problems: readonly Problem[], total: number, columns: readonly ColumnHint[] = []) {
    const more = total > problems.length ? [`… and ${total - problems.length} more`] : [];
    const lines = [...problems.map(describe), ...more, ...columns.map(columnHintText)].map((line) => `\n  ${line}`);
    super(`${file}: ${total === 1 ? '1 problem' : `${total} problems`} in the catalog${lines.join('')}`);
    this.file = file;
    this.problems = problems;
    this.total = total;
    this.columns = columns;
  }

  /** The same with only where and what was expected: what was found may be a prompt. */
  withoutCells(): CatalogError {
    const problems = this.problems.map((problem) => ({ ...problem, found: NOT_TOLD }));
    return new CatalogError(this.file, problems, this.total);
  }
}

/** Collects the problems of one catalog: keeps the first hundred and counts the rest. */
export class Problems {
  readonly #file: string;
  readonly #listed: Problem[] = [];
  readonly #columns = new Set<string>();
  #places: Places | null = null;
  #total = 0;

  constructor(file: string) {
    this.#file = file;
  }

  get total(): number {
    return this.#total;
  }

  add(problem: Problem): void {
    this.#total += 1;
    if (this.#listed.length >= LISTED) return;
    const { line, column } = problem;
    const place = line === null ? undefined : this.#places?.of(line, column);
    this.#listed.push({ ...problem, ...(place !== undefined && { place }) });
  }

  /** From here on, places of problems are cells of a workbook. */
  setPlaces(places: Places): void {
    this.#places = places;
  }

  /** The name of a row: `line 7`. */
  rowText(line: number): string {
    return this.#places?.row(line) ?? `line ${line}`;
  }

  /** Notes unknown columns, so that an error can also say what they may have been meant as. */
  noteColumns(names: readonly string[]): void {
    for (const name of names) if (this.#columns.size < COLUMNS_NOTED) this.#columns.add(name);
  }

  /** Columns noted so far. */
  get columns(): readonly string[] {
    return [...this.#columns];
  }

  /** For a problem after which the rest of the file cannot be read: `throw problems.fatal(…)`. */
  fatal(problem: Problem): CatalogError {
    this.add(problem);
    return this.error();
  }

  /** @throws CatalogError if anything was added */
  throwIfAny(): void {
    if (this.#total > 0) throw this.error();
  }

  /** All that was added, as an error. */
  error(): CatalogError {
    const listed = this.#listed.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
    return new CatalogError(this.#file, listed, this.#total, columnHints([...this.#columns]).slice(0, HINTS));
  }
}
