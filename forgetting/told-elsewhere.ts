import type { RowFilter } from '../domain/row-filter.ts';
import { hasText } from '../records/catalog-text.ts';
import { keptCatalogFolder } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';

/**
 * The names of retries' corrected catalogs that contain a filter's value as a whole word. They are searched as text,
 * because they may have rows that no plan contains.
 *
 * @param batches whose kept catalogs stay
 */
export async function toldElsewhere(
  store: ObjectStore,
  batches: readonly string[],
  filters: readonly RowFilter[],
): Promise<string[]> {
  const values = filters.flatMap(({ pattern }) => searchFor(pattern));
  const found: string[] = [];
  for (const batch of values.length === 0 ? [] : batches) {
    for await (const { name } of store.list(`${keptCatalogFolder(batch)}corrected-`)) {
      if (await hasText(name, await store.read(name), values)) found.push(name);
    }
  }
  return found;
}

/**
 * Searches for the longest part of a pattern between stars, at the start or end of a word unless a star is there.
 * Returns nothing for a pattern of only stars.
 */
function searchFor(pattern: string): RegExp[] {
  const parts = pattern.normalize('NFC').split('*');
  const [longest = ''] = [...parts].sort((a, b) => b.length - a.length);
  if (longest === '') return [];
  const at = parts.indexOf(longest);
  const before = at === 0 ? '(?<![\\p{L}\\p{N}])' : '';
  const after = at === parts.length - 1 ? '(?![\\p{L}\\p{N}])' : '';
  return [new RegExp(before + longest.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') + after, 'u')];
}
