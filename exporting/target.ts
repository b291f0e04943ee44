import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { shownPlace, storeKind, storeUrl } from '../store/index.ts';
import { isInside, realPath } from '../store/real-path.ts';

/** Where an export goes. `zip` is the path of the file, where it is to be one. */
export type Target = { url: string; zip: string | null };

/**
 * What a person named as an export's place.
 *
 * @param store the URL of the batch's store
 * @throws UserError for a place that is in the store, also through a link, or none
 */
export async function targetOf(to: string, store: string): Promise<Target> {
  const url = storeUrl(to).replace(/\/+$/, '');
  if (storeKind(url) === 'folder' && new URL(url).host !== '') {
    throw new UserError(`${to}: expected a place on this machine, or gs://bucket/prefix, found another machine's`);
  }
  const isZip = url.toLowerCase().endsWith('.zip');
  if (isZip && storeKind(url) !== 'folder') {
    throw new UserError(
      `${to}: expected a zip file in a folder of this machine, found another place: export it here and copy it there`,
    );
  }
  if (await isIn(url, store.replace(/\/+$/, ''))) {
    throw new UserError(
      `${to}: expected a place outside of the store ${shownPlace(store)}, found one in it: what is there is the batches' own`,
    );
  }
  return { url, zip: isZip ? fileURLToPath(url) : null };
}

/**
 * A store may lie below the place, and a name lead into it.
 *
 * @param names of the files that are to be written there
 * @throws UserError for the first that would lie in the store, also through a link
 */
export async function checkOutside({ url, zip }: Target, store: string, names: Iterable<string>): Promise<void> {
  if (zip !== null) return;
  const folders = new Map([...names].map((name) => [name.slice(0, name.lastIndexOf('/') + 1), name]));
  for (const [folder, name] of folders) {
    const isInStore = await isIn(`${url}/${encoded(url, folder)}`.replace(/\/+$/, ''), store.replace(/\/+$/, ''));
    if (!isInStore) continue;
    throw new UserError(
      `${name}: expected names outside of the store ${shownPlace(store)}, found one that leads into it: what is there is the batches' own. Choose another --name or --to`,
    );
  }
}

/** A name as part of a URL; those of buckets are as they are. */
const encoded = (url: string, name: string): string =>
  storeKind(url) === 'folder' ? name.split('/').map(encodeURIComponent).join('/') : name;

async function isIn(url: string, store: string): Promise<boolean> {
  if (url === store || url.startsWith(`${store}/`)) return true;
  if (!isLocal(url) || !isLocal(store)) return false;
  // What is wrong with a path is told when it is opened.
  const [place, own] = await Promise.all([url, store].map((of) => realPath(fileURLToPath(of)).catch(() => null)));
  return Boolean(place && own && isInside(own, place));
}

/** What of a store is a folder: with a host it is nobody's. */
const isLocal = (url: string): boolean => storeKind(url) === 'folder' && new URL(url).host === '';
