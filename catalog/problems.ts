import { named } from '../domain/printable.mjs';
import { UserError } from '../domain/user-error.ts';
import { type ColumnHint, columnHints, columnHintText } from './reading/foreign-columns.ts';

/** One thing to put right in a catalog. */
export type Problem = {
  /** The first line of the row, counted from 1; null where the whole file is meant. */
  line: number | null;
  /** The column's name in the file. */
  column: string | null;
  /** The cell of a workbook, as `Sheet1!B7`. */
  place?: string;
  expected: string;
  found: string;
};

const LISTED = 100;

/** In JSON lines every row may have other ones. */
const COLUMNS_NOTED = 1_000;
const HINTS = 20;

const NOT_TOLD = 'something else ("npx pixart-batch plan" shows it)';

/** Where cells of a workbook are: as people look for them there. */
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
  /** Columns that were read as nothing of ours and may have been meant for it. */
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

  /** The same without what was found, which may be a prompt: where, and what was expected. */
  withoutCells(): CatalogError {
    const problems = this.problems.map((problem) => ({ ...problem, found: NOT_TOLD }));
    return new CatalogError(this.file, problems, this.total);
  }
}

/** Collects what is wrong with one catalog; remembers the first hundred problems and counts the rest. */
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

  /** From here on problems are said to be in cells of a workbook. */
  setPlaces(places: Places): void {
    this.#places = places;
  }

  /** What a row is called: `line 7`. */
  rowText(line: number): string {
    return this.#places?.row(line) ?? `line ${line}`;
  }

  /** Notes columns that mean nothing to us: beside what is wrong it counts what they may have been meant for. */
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
