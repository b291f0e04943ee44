import { realpath } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { shownPlace, storeKind, storeUrl } from '../store/index.ts';

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
  const [place, own] = await Promise.all([realPath(fileURLToPath(url)), realPath(fileURLToPath(store))]);
  return place === own || place.startsWith(`${own}${sep}`);
}

/** A `file:` URL with a host is refused when it is opened. */
const isLocal = (url: string): boolean => storeKind(url) === 'folder' && new URL(url).host === '';

/** Without links, as far as the path is there; what else is wrong with it is told when it is opened. */
async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (dirname(path) === path) throw error;
    return join(await realPath(dirname(path)), basename(path));
  }
}
