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
 * The id of a row without one: 12 hexadecimal digits from a digest of its cells, including metadata, so rows keep their ids
 * when they move. Defaults are not included: changing one renames nothing.
 */
export const contentId = ({ values, metadata }: RawRow): string => digestOf({ values, metadata }).slice(0, 12);

const MAX_SUFFIX = 60;

/**
 * Distinguishes the images of one row: the chosen texts, if they are short and plain, as in `dark_red-20`; otherwise 12
 * digits of their SHA-256. It depends only on the texts, so adding an alternative renames nothing.
 */
export function suffixOf(texts: readonly string[]): string {
  const words = texts.map(plainWords);
  const joined = words.join('-');
  const isPlain = !words.includes(null) && joined.length <= MAX_SUFFIX;
  return isPlain ? joined : digestOf({ texts }).slice(0, 12);
}

/** A text is plain if it can be recovered from its words. Capitals cannot, on file systems that ignore case. */
function plainWords(text: string): string | null {
  if (text === '') return '_';
  const words = text.replace(':', 'x').replaceAll(' ', '_');
  return /^[a-z0-9.]+( [a-z0-9.]+)*$|^\d+:\d+$/.test(text) ? words : null;
}

/** Assigns and checks the ids of one batch's jobs, and the names of their copies. */
export class JobIds {
  readonly #template: NamingTemplate | null;
  /** Fields that no row has had so far, so they may not be columns at all. */
  readonly #unseen: Set<string>;
  /** Rows without a name, held back while such fields may be the reason. */
  readonly #unnamed: { line: number; fault: string }[] = [];
  /** Lines of the rows' own ids, which their jobs do not have if there are variants or choices. */
  readonly #rows = new Map<string, number>();
  /** Lines of the jobs' ids, if a template names the copies. */
  readonly #lines = new Map<string, number>();
  readonly #copies = new NameClaims<number>();
  readonly #occurrences = new Map<string, number>();

  /** @param template for the copies' names; default: they are named after the ids */
  constructor(template: NamingTemplate | null = null) {
    this.#template = template;
    this.#unseen = template === null ? new Set() : fieldsOf(template);
    for (const field of OF_ALL) this.#unseen.delete(field);
  }

  /** A content id, unchanged for the first row that has it, then with `_2`, `_3` and so on. */
  numbered(contentId: string): string {
    const occurrence = (this.#occurrences.get(contentId) ?? 0) + 1;
    this.#occurrences.set(contentId, occurrence);
    return occurrence === 1 ? contentId : `${contentId}_${occurrence}`;
  }

  /**
   * Claims the id of a row, whose combinations share its line. Adds a problem and returns false if another row has it: rows
   * with variants or choices could otherwise share an id unnoticed, as their jobs' ids differ.
   */
  claimRow(id: string, line: number, column: string, problems: Problems): boolean {
    const key = foldedName(id);
    const other = this.#rows.get(key);
    if (other === undefined) this.#rows.set(key, line);
    if (other === undefined || other === line) return true;
    problems.add({ line, column, ...taken('an id', id, other, problems) });
    return false;
  }

  /**
   * Claims a job's id and its copy's name, which is set on the job if a template names the copies. Adds a problem if another
   * row's job has the id, or the copy's name is not unique; case is ignored, as in many file systems.
   *
   * @param column the catalog's name for the id column
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

  /** Adds problems that show only after all rows: an unknown field of the template is one problem, not one per row. */
  finish(problems: Problems): void {
    if (this.#unnamed.length === 0) return;
    const unknown = unknownField(this.#unseen, [...OF_ALL, ...problems.columns]);
    if (unknown === null) this.#tellUnnamed(problems);
    else problems.add({ line: null, column: '--name', ...unknown });
  }

  #tellUnnamed(problems: Problems): void {
    for (const { line, fault } of this.#unnamed) {
      problems.add({ line, column: '--name', expected: 'a name for every image', found: fault });
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
        expected: `${what} that works as a file name`,
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

/** A claim to a name, and its texts for messages. */
type Claim = { line: number; column: string; called: string; what: string };

/** Fields that every catalog has. */
const OF_ALL = ['ext', ...ROW_COLUMNS];

function valuesOf(job: Job): (field: string) => string | undefined {
  const columns = columnsOf(job);
  return (field) => (field === 'ext' ? extension(job.format) : rowValue(job.metadata, columns, field));
}

const taken = (what: string, called: string, line: number, problems: Problems) => ({
  expected: `${what} that no other row has`,
  found: `${quoted(called)}, already used in ${problems.rowText(line)}`,
});

const inTheWay = (what: string, called: string, line: number, problems: Problems) => ({
  expected: `${what} that does not clash with others`,
  found: `${quoted(called)}: its image and that of ${problems.rowText(line)} would be a file and a folder of the same name`,
});
