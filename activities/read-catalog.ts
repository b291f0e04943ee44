import type { ReadTerms } from '../catalog/expansion/terms.ts';
import { catalogName, type ObjectStore, readUrl, termsName, termsReader } from '../store/index.ts';
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
  if ((await store.stat(kept)) === null) await keep(store, kept, await readUrl(source.url));
  return store.read(kept);
}

/** Reads files of terms from the folder at the URL, as readCatalog does the catalog. */
export const keptTerms =
  (store: ObjectStore, batch: string, url: string): ReadTerms =>
  async (name) => {
    const kept = termsName(batch, name);
    if ((await store.stat(kept)) === null) {
      const bytes = await termsReader(url)(name);
      if (bytes === null) return null;
      await keep(store, kept, bytes);
    }
    return store.read(kept);
  };

const keep = (store: ObjectStore, name: string, bytes: Uint8Array) =>
  store.create(name, bytes, 'text/plain; charset=utf-8');
