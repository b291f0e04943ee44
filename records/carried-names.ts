import { CATALOG_LIMITS } from '../catalog/catalog-limits.ts';

/**
 * The catalog's other columns as a table has them, in the order in which rows introduce them. A catalog's number of
 * columns is limited, but a batch may have more if an earlier version planned it, or if each corrected catalog added
 * some: the last ones get no place then.
 */
export class CarriedNames {
  readonly #places = new Map<string, number>();
  #leftOut = 0;

  /** The column's place, counted from 0; `undefined` if there are too many. */
  placeOf(name: string): number | undefined {
    const place = this.#places.get(name);
    if (place !== undefined) return place;
    if (this.#places.size >= CATALOG_LIMITS.carriedColumns) {
      this.#leftOut += 1;
      return undefined;
    }
    this.#places.set(name, this.#places.size);
    return this.#places.size - 1;
  }

  get names(): string[] {
    return [...this.#places.keys()];
  }

  /** Cells that had no place. */
  get leftOut(): number {
    return this.#leftOut;
  }
}
