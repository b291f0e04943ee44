import { lstat, rename, unlink } from 'node:fs/promises';
import { isMissing } from './file-errors.ts';
import { usesOf, versionOf } from './file-object.ts';
import { publishOnce } from './file-publish.ts';
import type { ListedObject } from './object-store.ts';

export type Removal = {
  path: string;
  /** A name on the same file system that nobody else has. */
  aside: string;
  /** As publishOnce needs it. */
  claim: string;
  version: string;
  uses: ListedObject['uses'] | undefined;
  /** Removes what is noted of the file, which nobody finds by then: a kill leaves no note without its file. */
  removeNote(): Promise<void>;
};

/**
 * Removes one version of a file. It is taken aside first: who links it in the moment between a look and an unlink would have a copy of an
 * object that is gone, so that the links are counted once more where nobody finds the file.
 *
 * @returns whether it is gone; false where another file is at the path, or the file was used since
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

/** A file system without links moves a file that is put back. */
function unlessMissing(error: unknown): true {
  if (isMissing(error)) return true;
  throw error;
}
