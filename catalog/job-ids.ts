import { copyFault, copyNameOf } from '../domain/copy-name.ts';
import { digestOf } from '../domain/digest.ts';
import { extension } from '../domain/image-format.ts';
import { columnsOf, type Job } from '../domain/job.ts';
import { fieldsOf, filledName, type NamingTemplate } from '../domain/naming-template.ts';
import { ROW_COLUMNS } from '../domain/parameters.ts';
import { foldedName, NameClaims } from '../domain/portable-name.ts';
import { quoted } from '../domain/printable.mjs';
import { rowValue } from '../domain/row-value.ts';
import { unknownField } from '../domain/template-fields.ts';
import type { Problems } from './problems.ts';
import type { RawRow } from './reading/raw-row.ts';

/**
 * The id of a row that has none: 12 hexadecimal digits of its cells, metadata included, so that rows which differ in
 * anything keep their names wherever they stand. Defaults play no part: changing one renames nothing.
 */
export const contentId = ({ values, metadata }: RawRow): string => digestOf({ values, metadata }).slice(0, 12);

const MAX_SUFFIX = 60;

/**
 * What tells the images of one row apart: the chosen texts, where they are short and plain, as in `dark_red-20`; else 12
 * digits of their SHA-256. It follows from the texts alone, so that another alternative renames nothing.
 */
export function suffixOf(texts: readonly string[]): string {
  const words = texts.map(plainWords);
  const joined = words.join('-');
  const isPlain = !words.includes(null) && joined.length <= MAX_SUFFIX;
  return isPlain ? joined : digestOf({ texts }).slice(0, 12);
}

/** Plain is what can be read back from its words; capitals cannot where a file system does not tell them apart. */
function plainWords(text: string): string | null {
  if (text === '') return '_';
  const words = text.replace(':', 'x').replaceAll(' ', '_');
  return /^[a-z0-9.]+( [a-z0-9.]+)*$|^\d+:\d+$/.test(text) ? words : null;
}

/** Gives out and checks the ids of one batch's jobs, and the names of their copies. */
export class JobIds {
  readonly #template: NamingTemplate | null;
  /** Fields that no row has had so far, and need not be anybody's columns. */
  readonly #unseen: Set<string>;
  /** Rows without a name, while such fields may be why. */
  readonly #unnamed: { line: number; fault: string }[] = [];
  /** Lines of ids, where a template decides what copies are called. */
  readonly #lines = new Map<string, number>();
  readonly #copies = new NameClaims<number>();
  readonly #occurrences = new Map<string, number>();

  /** @param template decides the copies' names; otherwise they are called after the ids */
  constructor(template: NamingTemplate | null = null) {
    this.#template = template;
    this.#unseen = template === null ? new Set() : fieldsOf(template);
    for (const field of OF_ALL) this.#unseen.delete(field);
  }

  /** A content id as such for the first row that has it, then with `_2`, `_3` and so on. */
  numbered(contentId: string): string {
    const occurrence = (this.#occurrences.get(contentId) ?? 0) + 1;
    this.#occurrences.set(contentId, occurrence);
    return occurrence === 1 ? contentId : `${contentId}_${occurrence}`;
  }

  /**
   * Takes a job's id and its copy's name, which it gives to the job where a template decides it. Adds a problem where another row's job has the id, or the copy
   * cannot have a name of its own; case does not count, as it does not in many file systems.
   *
   * @param column what the catalog calls ids
   */
  claim(job: Job, column: string, problems: Problems): void {
    if (this.#template === null) {
      this.#claimCopy(copyNameOf(job), { line: job.line, column, called: job.id, what: 'an id' }, problems);
      return;
    }
    const cell = valuesOf(job);
    for (const field of this.#unseen) if (cell(field) !== undefined) this.#unseen.delete(field);
    const filled = filledName(this.#template, cell);
    if ('fault' in filled) {
      this.#unnamed.push({ line: job.line, fault: filled.fault });
      if (this.#unseen.size === 0) this.#tellUnnamed(problems);
      return;
    }
    const { name } = filled;
    job.copyAs = name;
    this.#claimId(job, column, problems);
    this.#claimCopy(name, { line: job.line, column: '--name', called: name, what: 'a name' }, problems);
  }

  /** Adds what only all rows together tell: a field of the template that is no column is one problem, and not one of every row. */
  finish(problems: Problems): void {
    if (this.#unnamed.length === 0) return;
    const unknown = unknownField(this.#unseen, [...OF_ALL, ...problems.columns]);
    if (unknown === null) this.#tellUnnamed(problems);
    else problems.add({ line: null, column: '--name', ...unknown });
  }

  #tellUnnamed(problems: Problems): void {
    for (const { line, fault } of this.#unnamed) {
      problems.add({ line, column: '--name', expected: 'a name for each picture', found: fault });
    }
    this.#unnamed.length = 0;
  }

  #claimId({ id, line }: Job, column: string, problems: Problems): void {
    const key = foldedName(id);
    const other = this.#lines.get(key);
    if (other === undefined) this.#lines.set(key, line);
    else problems.add({ line, column, ...taken('an id', id, other, problems) });
  }

  #claimCopy(name: string, { line, column, called, what }: Claim, problems: Problems): void {
    const fault = copyFault(name);
    if (fault !== null) {
      problems.add({
        line,
        column,
        expected: `${what} that a picture can be called by`,
        found: `${quoted(called)}: ${fault}`,
      });
      return;
    }
    const obstruction = this.#copies.claim(name, line);
    if (obstruction === null) return;
    const { by, isSame } = obstruction;
    problems.add({
      line,
      column,
      ...(isSame ? taken(what, called, by, problems) : inTheWay(what, called, by, problems)),
    });
  }
}

/** What claims a name, and how messages tell it. */
type Claim = { line: number; column: string; called: string; what: string };

/** Fields that every catalog has. */
const OF_ALL = ['ext', ...ROW_COLUMNS];

function valuesOf(job: Job): (field: string) => string | undefined {
  const columns = columnsOf(job);
  return (field) => (field === 'ext' ? extension(job.format) : rowValue(job.metadata, columns, field));
}

const taken = (what: string, called: string, line: number, problems: Problems) => ({
  expected: `${what} of its own`,
  found: `${quoted(called)}, as on ${problems.rowText(line)}`,
});

const inTheWay = (what: string, called: string, line: number, problems: Problems) => ({
  expected: `${what} whose picture can lie beside the others`,
  found: `${quoted(called)}: its picture and that of ${problems.rowText(line)} would be a file and a folder of one name`,
});
