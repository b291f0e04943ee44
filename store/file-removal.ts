import { lstat, rename, unlink } from 'node:fs/promises';
import { isMissing } from './file-errors.ts';
import { usesOf, versionOf } from './file-object.ts';
import { publishOnce } from './file-publish.ts';
import type { ListedObject } from './object-store.ts';

type Removal = {
  path: string;
  /** An unused name on the same file system. */
  aside: string;
  /** As publishOnce needs it. */
  claim: string;
  version: string;
  uses: ListedObject['uses'] | undefined;
  /** Removes the file's metadata once nobody can find the file, so that a kill never leaves metadata without its file. */
  removeNote(): Promise<void>;
};

/**
 * Removes one version of a file. The file is moved aside first and its links are counted again there, where nobody can
 * find it: a writer that links it between a check and an unlink would otherwise have a copy of an object that is gone.
 *
 * @returns whether it is gone; false if another file is at the path, or the file was used since
 */
export async function removeFileVersion({ path, aside, claim, version, uses, removeNote }: Removal): Promise<boolean> {
  try {
    const seen = await lstat(path, { bigint: true });
    if (versionOf(seen) !== version || (uses !== undefined && usesOf(seen) !== uses)) return false;
    await rename(path, aside);
    const taken = await lstat(aside, { bigint: true });
    const isAsSeen = versionOf(taken) === version && (uses === undefined || taken.nlink === seen.nlink);
    if (!isAsSeen && (await publishOnce(aside, path, claim))) await unlink(aside).catch(unlessMissing);
    if (!isAsSeen) return false;
    await removeNote();
    await unlink(aside);
    return true;
  } catch (error) {
    return unlessMissing(error);
  }
}

/** Without hard links, putting a file back renames it, so nothing is left aside. */
function unlessMissing(error: unknown): true {
  if (isMissing(error)) return true;
  throw error;
}
