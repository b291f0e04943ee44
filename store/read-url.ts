import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { ObjectNotFound, readIfThere } from './object-store.ts';
import { openStore, storeKind } from './open-store.ts';
import { shownPlace } from './shown-place.ts';

/**
 * Reads a catalog or another file of the user's, in any folder or bucket: `file:///folder/catalog.csv` or
 * `gs://bucket/catalog.csv`.
 *
 * @param what the file's name in error messages
 * @throws UserError if there is nothing at the URL, or it cannot be reached
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

/** A store follows no symbolic links, so that nothing leads out of it; but a user's catalog may be one. */
const withoutLinks = (file: string): Promise<string> => realpath(file).catch(() => file);

const isFolder = async (file: string): Promise<boolean> => (await stat(file).catch(() => null))?.isDirectory() ?? false;

/**
 * Returns a reader of files of terms, `<name>.txt`, in one folder, `file:///folder` or `gs://bucket/prefix`, and
 * nowhere else: names are checked and symbolic links are not followed, as in any store. The reader returns `null` for a
 * missing file.
 */
export function termsReader(folder: string): (name: string) => Promise<Uint8Array | null> {
  return async (name) => readIfThere(await openStore(folder), `${name}.txt`);
}

/** How files that a user names are read. Activities are given theirs, as with `openStore`. */
export type Sources = { readUrl: (url: string) => Promise<Uint8Array>; termsReader: typeof termsReader };
