import type { StoreLinks } from '../activities/index.ts';
import { UserError } from '../domain/user-error.ts';
import { storeUrl } from '../store/index.ts';

const NAME = 'PIXART_STORE_LINKS';

/**
 * Reads the public addresses of stores: `gs://my-bucket/images=https://images.studio.example`, with commas between several.
 *
 * @throws UserError for anything else
 */
export function storeLinks(text = ''): StoreLinks {
  const known = text
    .split(',')
    .map((pair) => pair.trim())
    .filter((pair) => pair !== '')
    .map(linkOf);
  return {
    publicUrl(store) {
      const found = known.find(([place]) => place === withoutSlash(store));
      return found === undefined ? null : (name) => `${found[1]}/${name.split('/').map(encodeURIComponent).join('/')}`;
    },
  };
}

/** A store and the address that its objects' names are added to. */
function linkOf(pair: string): [string, string] {
  const at = pair.lastIndexOf('=http');
  const [store, address] = [pair.slice(0, Math.max(0, at)), pair.slice(at + 1)];
  const url = URL.canParse(address) ? new URL(address) : null;
  const isPlain =
    url !== null && url.protocol === 'https:' && `${url.username}${url.password}${url.search}${url.hash}` === '';
  if (store === '' || !isPlain) {
    throw new UserError(
      `${NAME}: expected a store and an https address without user name and query, such as gs://my-bucket/images=https://images.studio.example, found ${JSON.stringify(pair.slice(0, 200))}`,
    );
  }
  return [withoutSlash(storeUrl(store)), withoutSlash(url.href)];
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
