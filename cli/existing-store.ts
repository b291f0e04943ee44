import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { shownPlace, storeKind, storeUrl } from '../store/index.ts';

/**
 * For commands that only search a store: in a mistyped folder they would find nothing, and seem to have succeeded. Whether a
 * bucket exists is checked when it is opened.
 *
 * @throws UserError if it is a folder that does not exist
 */
export function checkStoreExists(store: string): void {
  const url = storeUrl(store);
  if (storeKind(url) !== 'folder' || new URL(url).host !== '' || existsSync(fileURLToPath(url))) return;
  throw new UserError(
    `store ${shownPlace(url)}: expected a folder that batches have written to, found none. Check --store`,
  );
}
