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

async function isIn(url: string, store: string): Promise<boolean> {
  if (url === store || url.startsWith(`${store}/`)) return true;
  if (!isLocal(url) || !isLocal(store)) return false;
  // What is wrong with a path is told when it is opened.
  const [place, own] = await Promise.all([url, store].map((of) => realPath(fileURLToPath(of)).catch(() => null)));
  return Boolean(place && own && isInside(own, place));
}

/** A `file:` URL with a host is refused when it is opened. */
const isLocal = (url: string): boolean => storeKind(url) === 'folder' && new URL(url).host === '';
