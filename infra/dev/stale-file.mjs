// Plain Node: the bootstrap imports this file before anything is installed.
import { linkSync, readFileSync, renameSync, rmSync } from 'node:fs';

/** @param {unknown} error @param {string[]} codes */
const ignore = (error, ...codes) => {
  if (!codes.includes(/** @type {NodeJS.ErrnoException} */ (error).code ?? '')) throw error;
};

/**
 * Removes a lock that nobody stands behind any more. Of several processes that try, one renames it and the others find it gone; a
 * lock that somebody took in the meantime stays.
 *
 * @param {string} path
 * @param {(content: string) => boolean} isStale whether it is still the one that was found to be stale
 */
export function removeStale(path, isStale) {
  const aside = `${path}.stale-${process.pid}`;
  try {
    if (!isStale(readFileSync(path, 'utf8'))) return;
    renameSync(path, aside);
  } catch (error) {
    return ignore(error, 'ENOENT');
  }
  try {
    if (!isStale(readFileSync(aside, 'utf8'))) linkSync(aside, path);
  } catch (error) {
    ignore(error, 'EEXIST');
  } finally {
    rmSync(aside, { force: true });
  }
}
