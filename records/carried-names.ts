import { CATALOG_LIMITS } from '../catalog/catalog-limits.ts';

/**
 * The catalog's other columns as a table has them, in the order in which rows bring them. A catalog has only so many of them, but a batch that an
 * earlier version planned may have more, or one whose corrected catalogs each brought some: what comes last has no place then.
 */
export class CarriedNames {
  readonly #places = new Map<string, number>();
  #leftOut = 0;

  /** The column's place, counted from 0; `undefined` where there are too many. */
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
