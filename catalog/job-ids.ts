import { digestOf } from '../domain/identity.ts';
import { type Problems, quoted } from './problems.ts';
import type { RawRow } from './reading/raw-row.ts';

/**
 * The id of a row that has none: 12 hexadecimal digits of its cells, metadata included, so that rows which differ in
 * anything keep their names wherever they stand. Defaults play no part: changing one renames nothing.
 */
export const contentId = ({ values, metadata }: RawRow): string => digestOf({ values, metadata }).slice(0, 12);

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
    else problems.add({ line, column, expected: 'an id of its own', found: `${quoted(id)}, as on line ${other}` });
  }
}
