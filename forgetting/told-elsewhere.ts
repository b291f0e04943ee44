import type { RowFilter } from '../domain/row-filter.ts';
import { keptCatalogFolder } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';

/**
 * A corrected catalog that a retry was told may have rows that no plan took in, so it is searched as text: the names of those in which a filter's
 * value stands.
 *
 * @param batches whose kept catalogs stay
 */
export async function toldElsewhere(
  store: ObjectStore,
  batches: readonly string[],
  filters: readonly RowFilter[],
): Promise<string[]> {
  const values = filters
    .flatMap(({ pattern }) => longestPart(pattern))
    .flatMap((text) => [Buffer.from(text), Buffer.from(text, 'utf16le')]);
  const found: string[] = [];
  for (const batch of values.length === 0 ? [] : batches) {
    for await (const { name } of store.list(`${keptCatalogFolder(batch)}corrected-`)) {
      const bytes = Buffer.from(await store.read(name));
      if (values.some((value) => bytes.includes(value))) found.push(name);
    }
  }
  return found;
}

/** Of a pattern with stars; nothing of one that has only these. */
function longestPart(pattern: string): string[] {
  const [longest = ''] = pattern.split('*').sort((a, b) => b.length - a.length);
  return longest === '' ? [] : [longest];
}
