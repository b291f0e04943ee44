import { realpath } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../catalog/user-error.ts';
import { catalogName, ObjectNotFound, type ObjectStore } from '../store/index.ts';
import type { CatalogSource } from '../workflows/contract.ts';
import type { OpenStore } from './dependencies.ts';

/**
 * The catalog's bytes as the batch keeps them in its folder. The first reading puts them there: people edit a catalog by day,
 * and a second attempt at planning must see what the first one saw.
 *
 * @throws UserError where there is no catalog at the URL
 */
export async function readCatalog(
  openStore: OpenStore,
  store: ObjectStore,
  batch: string,
  source: Extract<CatalogSource, { kind: 'catalog' }>,
): Promise<Uint8Array> {
  const kept = catalogName(batch, source.format);
  if ((await store.stat(kept)) === null) {
    await store.create(kept, await readUrl(openStore, source.url), 'text/plain; charset=utf-8');
  }
  return store.read(kept);
}

/** @throws UserError where there is nothing at the URL, or no way to it */
export async function readUrl(openStore: OpenStore, catalog: string): Promise<Uint8Array> {
  const url = await withoutLinks(catalog);
  const slash = url.lastIndexOf('/');
  const folder = await openStore(url.slice(0, slash));
  const name = url.slice(slash + 1);
  try {
    return await folder.read(url.startsWith('file:') ? decodeURIComponent(name) : name);
  } catch (error) {
    if (!(error instanceof ObjectNotFound)) throw error;
    throw new UserError(`catalog: expected a file at ${catalog}, found none`);
  }
}

/** A store reads no symbolic links, so that nothing leads out of it; a person may keep a catalog behind one. */
async function withoutLinks(url: string): Promise<string> {
  if (!url.startsWith('file:')) return url;
  try {
    return pathToFileURL(await realpath(fileURLToPath(url))).href;
  } catch {
    return url;
  }
}
