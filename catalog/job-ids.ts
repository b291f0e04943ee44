import type { Problems } from './problems.ts';
import { quoted } from './problems.ts';

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
