import type { RowFilter } from '../domain/row-filter.ts';
import { hasText } from '../records/catalog-text.ts';
import { keptCatalogFolder } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';

/**
 * A corrected catalog that a retry was told may have rows that no plan took in, so it is searched as text: the names of those in which a filter's
 * value stands, and not within a longer word.
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

/** For the longest part of a pattern with stars, which is a cell's beginning or end unless a star is there; nothing for one that has only stars. */
function searchFor(pattern: string): RegExp[] {
  const parts = pattern.normalize('NFC').split('*');
  const [longest = ''] = [...parts].sort((a, b) => b.length - a.length);
  if (longest === '') return [];
  const at = parts.indexOf(longest);
  const before = at === 0 ? '(?<![\\p{L}\\p{N}])' : '';
  const after = at === parts.length - 1 ? '(?![\\p{L}\\p{N}])' : '';
  return [new RegExp(before + longest.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&') + after, 'u')];
}
