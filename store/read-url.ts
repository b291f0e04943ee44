import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { ObjectNotFound, readIfThere } from './object-store.ts';
import { openStore, storeKind } from './open-store.ts';
import { shownPlace } from './shown-place.ts';

/**
 * The bytes of a catalog, or of another file of a person's, which may lie in a folder or bucket of its own: `file:///folder/catalog.csv` or
 * `gs://bucket/catalog.csv`.
 *
 * @param what a message calls it
 * @throws UserError where there is nothing at the URL, or no way to it
 */
export async function readUrl(url: string, what = 'catalog'): Promise<Uint8Array> {
  const kind = storeKind(url);
  if (kind === null) {
    throw new UserError(`${what}: expected a path, file:///folder/… or gs://bucket/…, found ${shownPlace(url)}`);
  }
  const file = kind === 'folder' ? filePath(url, what) : null;
  const plain = file === null ? url : pathToFileURL(await withoutLinks(file)).href;
  const slash = plain.lastIndexOf('/');
  const folder = await openStore(plain.slice(0, slash));
  const name = plain.slice(slash + 1);
  try {
    return await folder.read(file === null ? name : decodeURIComponent(name));
  } catch (error) {
    if (!(error instanceof ObjectNotFound)) throw error;
    const found = file !== null && (await isFolder(file)) ? 'a folder' : 'none';
    throw new UserError(`${what}: expected a file at ${shownPlace(url)}, found ${found}`);
  }
}

function filePath(url: string, what: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw new UserError(`${what}: expected a path in ${url}, found: ${(error as Error).message}`);
  }
}

/** A store reads no symbolic links, so that nothing leads out of it; a person may keep a catalog behind one. */
const withoutLinks = (file: string): Promise<string> => realpath(file).catch(() => file);

const isFolder = async (file: string): Promise<boolean> => (await stat(file).catch(() => null))?.isDirectory() ?? false;

/**
 * Reads files of terms, `<name>.txt`, from one folder, `file:///folder` or `gs://bucket/prefix`, and from nowhere else: names are checked
 * and symbolic links are not followed, as for any store. Gives `null` for a file that is not there.
 */
export function termsReader(folder: string): (name: string) => Promise<Uint8Array | null> {
  return async (name) => readIfThere(await openStore(folder), `${name}.txt`);
}

/** How the files that a person names are read. Activities are handed theirs, as they are `openStore`. */
export type Sources = { readUrl: (url: string) => Promise<Uint8Array>; termsReader: typeof termsReader };
