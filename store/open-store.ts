import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';
import { FileStore } from './file-store.ts';
import type { ObjectStore } from './object-store.ts';

/** The type of openStore. Activities are given theirs, so that a test can give them a store that fails. */
export type OpenStore = (url: string) => Promise<ObjectStore>;

const opened = new Map<string, Promise<ObjectStore>>();

/** A store's URL from a path or URL: a path becomes a `file:` URL; a URL stays as it is, with its scheme in lower case. */
export function storeUrl(pathOrUrl: string): string {
  const scheme = /^(file:|[a-z][a-z0-9+.-]+:(?=\/\/))/i.exec(pathOrUrl)?.[0];
  if (scheme === undefined) return pathToFileURL(resolve(pathOrUrl)).href;
  return scheme.toLowerCase() + pathOrUrl.slice(scheme.length);
}

/**
 * Opens the store at a URL, once per process: `file:///folder` or `gs://bucket/prefix`. Nothing is written.
 *
 * @throws UserError for an unknown kind of URL, or a path that is not a folder
 * @throws StoreDenied for a bucket that does not exist or is not accessible
 * @throws StoreUnavailable if the store does not answer
 */
export function openStore(url: string): Promise<ObjectStore> {
  const known = opened.get(url);
  if (known) return known;
  const opening = open(url);
  opened.set(url, opening);
  opening.catch(() => opened.delete(url));
  return opening;
}

/** The kind of store that a URL leads to; `null` for any other URL and for texts that are not URLs. */
export function storeKind(url: string): 'folder' | 'bucket' | null {
  const scheme = URL.canParse(url) ? new URL(url).protocol : '';
  if (scheme === 'file:') return 'folder';
  return scheme === 'gs:' ? 'bucket' : null;
}

/** Like openStore, for a place whose files people may edit, since no batch owns them. */
export const openPlace = (url: string): Promise<ObjectStore> => open(url, false);

async function open(url: string, areShared = true): Promise<ObjectStore> {
  const kind = storeKind(url);
  if (kind === 'folder') return openFolder(url, areShared);
  if (kind === 'bucket') return openBucket(url);
  throw new UserError(
    `store: expected file:///folder or gs://bucket/prefix, found ${JSON.stringify(withoutSecrets(url))}`,
  );
}

async function openFolder(url: string, areShared: boolean): Promise<ObjectStore> {
  if (new URL(url).host !== '') throw new UserError(`store ${url}: expected three slashes, as in file:///folder`);
  const store = new FileStore(url, areShared);
  await store.check();
  return store;
}

async function openBucket(url: string): Promise<ObjectStore> {
  // Loaded late, so that a store in a folder does not wait for the client library.
  const { GcsStore } = await import('./gcs-store.ts');
  const store = new GcsStore(url);
  await store.check();
  return store;
}
