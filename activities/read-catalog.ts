import { catalogName, type ObjectStore, readUrl } from '../store/index.ts';
import type { CatalogSource } from '../workflows/contract.ts';

/**
 * The catalog's bytes as the batch keeps them in its folder. The first reading puts them there: people edit a catalog by day,
 * and a second attempt at planning must see what the first one saw.
 *
 * @throws UserError where there is no catalog at the URL
 */
export async function readCatalog(
  store: ObjectStore,
  batch: string,
  source: Extract<CatalogSource, { kind: 'catalog' }>,
): Promise<Uint8Array> {
  const kept = catalogName(batch, source.format);
  if ((await store.stat(kept)) === null) {
    await store.create(kept, await readUrl(source.url), 'text/plain; charset=utf-8');
  }
  return store.read(kept);
}
