import { batchFolder, contactSheetPageName } from '../../records/layout.ts';
import type { BatchEvent } from '../../workflows/contract/webhook.ts';
import type { Link } from './message.ts';

/** Where browsers find the objects of stores. */
export type StoreLinks = {
  /** Public addresses of a store's objects; `null` if the workers were given none. */
  publicUrl(store: string): ((name: string) => string) | null;
};

/** What of a batch a person opens. A folder has links only where somebody serves it. */
export function batchLinks(
  { publicUrl }: StoreLinks,
  { batch, store, manifest, contactSheet }: BatchEvent['data'],
): Link[] {
  const urlOf = publicUrl(store) ?? signedIn(store);
  if (urlOf === null) return [];
  const has = (name: string | null | undefined): name is string => typeof name === 'string';
  return [
    // The page needs what lies beside it, which an address for people who have signed in does not give.
    ...(has(contactSheet) && publicUrl(store) !== null
      ? [{ label: 'Review page', url: urlOf(contactSheetPageName(batch)) }]
      : []),
    ...(has(contactSheet) ? [{ label: 'Contact sheet', url: urlOf(contactSheet) }] : []),
    ...(has(manifest) ? [{ label: 'Table', url: urlOf(manifest.replace(/\.json$/, '.csv')) }] : []),
    ...(publicUrl(store) === null ? [{ label: 'Folder', url: consoleUrl(store, batchFolder(batch)) }] : []),
  ];
}

/** For people who have signed in to Google and may read the bucket. `null` for a folder. */
const signedIn = (store: string): ((name: string) => string) | null =>
  store.startsWith('gs://') ? (name) => `https://storage.cloud.google.com/${encodedPath(store, name)}` : null;

const consoleUrl = (store: string, folder: string): string =>
  `https://console.cloud.google.com/storage/browser/${encodedPath(store, folder)}`;

const encodedPath = (store: string, name: string): string =>
  [...store.slice('gs://'.length).split('/'), ...name.split('/')]
    .filter((part) => part !== '')
    .map(encodeURIComponent)
    .join('/');
