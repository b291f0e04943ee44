import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../catalog/user-error.ts';
import { ObjectNotFound } from './object-store.ts';
import { openStore, storeKind } from './open-store.ts';

/**
 * The bytes of a catalog, or of another file of a person's, which may lie in a folder or bucket of its own: `file:///folder/catalog.csv` or
 * `gs://bucket/catalog.csv`.
 *
 * @param what a message calls it
 * @throws UserError where there is nothing at the URL, or no way to it
 */
export async function readUrl(url: string, what = 'catalog'): Promise<Uint8Array> {
  if (storeKind(url) === null) {
    throw new UserError(`${what}: expected a path, file:///folder/… or gs://bucket/…, found ${url}`);
  }
  const plain = await withoutLinks(url);
  const slash = plain.lastIndexOf('/');
  const folder = await openStore(plain.slice(0, slash));
  const name = plain.slice(slash + 1);
  try {
    return await folder.read(plain.startsWith('file:') ? decodeURIComponent(name) : name);
  } catch (error) {
    if (!(error instanceof ObjectNotFound)) throw error;
    throw new UserError(`${what}: expected a file at ${url}, found ${(await isFolder(plain)) ? 'a folder' : 'none'}`);
  }
}

const isFolder = async (url: string): Promise<boolean> =>
  url.startsWith('file:') && ((await stat(fileURLToPath(url)).catch(() => null))?.isDirectory() ?? false);

/** A store reads no symbolic links, so that nothing leads out of it; a person may keep a catalog behind one. */
async function withoutLinks(url: string): Promise<string> {
  if (!url.startsWith('file:')) return url;
  try {
    return pathToFileURL(await realpath(fileURLToPath(url))).href;
  } catch {
    return url;
  }
}
