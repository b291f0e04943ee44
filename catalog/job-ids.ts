import { digestOf } from '../domain/digest.ts';
import { quoted } from '../domain/printable.mjs';
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

/** Gives out and checks the ids of one batch's jobs. */
export class JobIds {
  readonly #lines = new Map<string, number>();
  readonly #occurrences = new Map<string, number>();

  /** A content id as such for the first row that has it, then with `_2`, `_3` and so on. */
  numbered(contentId: string): string {
    const occurrence = (this.#occurrences.get(contentId) ?? 0) + 1;
    this.#occurrences.set(contentId, occurrence);
    return occurrence === 1 ? contentId : `${contentId}_${occurrence}`;
  }

  /** Adds a problem if another row's job has this id; case does not count, as it does not in many file systems. */
  claim(id: string, line: number, column: string, problems: Problems): void {
    const key = id.toLowerCase();
    const other = this.#lines.get(key);
    if (other === undefined) this.#lines.set(key, line);
    else
      problems.add({
        line,
        column,
        expected: 'an id of its own',
        found: `${quoted(id)}, as on ${problems.rowText(other)}`,
      });
  }
}
