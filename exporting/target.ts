import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { shownPlace, storeKind, storeUrl } from '../store/index.ts';
import { isInside, realPath } from '../store/real-path.ts';

/** Where an export goes. `zip` is the path of the zip file, if it is one. */
export type Target = { url: string; zip: string | null };

/**
 * Parses an export's destination.
 *
 * @param store the URL of the batch's store
 * @throws UserError for an invalid place, or one inside the store, even through a symbolic link
 */
export async function targetOf(to: string, store: string): Promise<Target> {
  const url = storeUrl(to).replace(/\/+$/, '');
  if (storeKind(url) === 'folder' && new URL(url).host !== '') {
    throw new UserError(`${to}: expected a place on this machine, or gs://bucket/prefix, found another machine's`);
  }
  const isZip = url.toLowerCase().endsWith('.zip');
  if (isZip && storeKind(url) !== 'folder') {
    throw new UserError(
      `${to}: expected a zip file in a folder on this machine, found another place: export it here and copy it there`,
    );
  }
  if (await isIn(url, store.replace(/\/+$/, ''))) {
    throw new UserError(
      `${to}: expected a place outside the store ${shownPlace(store)}, found one inside it, where only batches keep files`,
    );
  }
  return { url, zip: isZip ? fileURLToPath(url) : null };
}

/**
 * Checks names, since a store may be inside the place, and a name may lead into it.
 *
 * @param names the names of the files to write there
 * @throws UserError for the first that would be inside the store, even through a symbolic link
 */
export async function checkOutside({ url, zip }: Target, store: string, names: Iterable<string>): Promise<void> {
  if (zip !== null) return;
  const folders = new Map([...names].map((name) => [name.slice(0, name.lastIndexOf('/') + 1), name]));
  for (const [folder, name] of folders) {
    const isInStore = await isIn(`${url}/${encoded(url, folder)}`.replace(/\/+$/, ''), store.replace(/\/+$/, ''));
    if (!isInStore) continue;
    throw new UserError(
      `${name}: expected names outside the store ${shownPlace(store)}, found one inside it, where only batches keep files. Choose another --name or --to`,
    );
  }
}

/** A name as part of a URL; a bucket's names are not encoded. */
const encoded = (url: string, name: string): string =>
  storeKind(url) === 'folder' ? name.split('/').map(encodeURIComponent).join('/') : name;

async function isIn(url: string, store: string): Promise<boolean> {
  if (url === store || url.startsWith(`${store}/`)) return true;
  if (!isLocal(url) || !isLocal(store)) return false;
  // Problems with a path are reported when it is opened.
  const [place, own] = await Promise.all([url, store].map((of) => realPath(fileURLToPath(of)).catch(() => null)));
  return Boolean(place && own && isInside(own, place));
}

/** Whether the URL leads to a folder on this machine; one with a host does not. */
const isLocal = (url: string): boolean => storeKind(url) === 'folder' && new URL(url).host === '';
