import type { Metadata } from '../domain/metadata.ts';
import { CATALOG_LIMITS } from './catalog-limits.ts';
import type { Problem } from './problems.ts';

const ADVICE = 'merge columns into one, leave out unneeded ones, or split the catalog';
/** Counts the extra columns that a catalog's jobs carry, job by job. */
export class CarriedColumns {
  readonly #names = new Set<string>();
  #jobs = 0;
  #characters = 0;
  #last: { metadata: Metadata; characters: number } | undefined;

  /** @returns the limit that was exceeded, with the column that did it; `null` while all is within limits */
  add(metadata: Metadata): Pick<Problem, 'column' | 'expected' | 'found'> | null {
    this.#jobs += 1;
    const { characters, extra } = this.#look(metadata);
    this.#characters += characters;
    const { carriedColumns, carriedCells, carriedCharacters } = CATALOG_LIMITS;
    if (extra !== null) {
      const expected = `at most ${carriedColumns} different columns besides ours in all rows together`;
      return { column: extra, expected, found: `one more; ${ADVICE}` };
    }
    if (this.#jobs * this.#names.size > carriedCells) {
      const expected = `at most ${carriedCells} cells besides those of our columns, each for every job (variants and combinations too)`;
      return { column: null, expected, found: `${this.#jobs} jobs with ${this.#names.size} such columns; ${ADVICE}` };
    }
    if (this.#characters > carriedCharacters) {
      const expected = `at most ${carriedCharacters} characters in columns besides ours, over all jobs (variants and combinations too)`;
      return { column: null, expected, found: `more; ${ADVICE}` };
    }
    return null;
  }

  /** Variants of a row share their metadata, so it is measured once. */
  #look(metadata: Metadata): { characters: number; extra: string | null } {
    if (this.#last?.metadata === metadata) return { characters: this.#last.characters, extra: null };
    let characters = 0;
    let extra: string | null = null;
    for (const [name, cell] of Object.entries(metadata)) {
      characters += name.length + cell.length;
      this.#names.add(name);
      if (this.#names.size > CATALOG_LIMITS.carriedColumns) extra ??= name;
    }
    this.#last = { metadata, characters };
    return { characters, extra };
  }
}
