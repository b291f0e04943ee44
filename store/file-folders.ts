import { lstat, mkdir, open, readdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../catalog/user-error.ts';
import { errorCode, isMissing } from './file-errors.ts';

const LEFTOVER_AGE_MS = 24 * 60 * 60 * 1000;

/**
 * The real path of one of the store's folders; `''` is the store itself. Only the store's root may be a symbolic link:
 * one further in could lead out of the store.
 *
 * @throws UserError where a symbolic link lies on the way
 */
export async function findFolder(root: string, name: string): Promise<string> {
  const folder = join(await realpath(root), name);
  if ((await realpath(folder)) !== folder) throw linkInside(folder);
  return folder;
}

/** As findFolder, but makes what is missing. */
export async function makeFolders(root: string, name: string): Promise<string> {
  await mkdir(root, { recursive: true });
  let folder = await realpath(root);
  for (const part of name.split('/').filter((part) => part !== '')) {
    folder = join(folder, part);
    await makeFolder(folder);
  }
  return folder;
}

async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    const found = await lstat(folder);
    if (found.isSymbolicLink()) throw linkInside(folder);
    if (!found.isDirectory()) throw new UserError(`store: expected a folder at ${folder}, found a file`);
  }
}

const linkInside = (folder: string): UserError =>
  new UserError(
    `store: expected a folder at ${folder}, found a symbolic link on the way; link the whole store instead`,
  );

/** Makes names that were added to a folder survive a power cut, where the file system can do that. */
export async function syncFolder(folder: string): Promise<void> {
  const cannotSync = new Set(['EINVAL', 'EPERM', 'EISDIR', 'EACCES', 'ENOTSUP', 'EBADF']);
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch (error) {
    if (!cannotSync.has(errorCode(error) ?? '')) throw error;
  }
}

/**
 * Removes what killed writers left behind. A live writer's file is never a day old. What cannot be removed stays: it takes
 * space, but must not keep anybody from writing.
 */
export async function sweepLeftovers(folder: string): Promise<void> {
  for (const entry of await readdir(folder).catch(() => [])) {
    const path = join(folder, entry);
    const modified = await lstat(path).then(
      (found) => found.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > LEFTOVER_AGE_MS) await rm(path, { force: true }).catch(() => {});
  }
}

/** A line of a folder's listing, in the order of the objects' full names. */
export type FolderEntry = { key: string; isFolder: boolean };

/** Files and folders (their key ends in `/`) in order; symbolic links and devices are no objects. */
export async function orderedEntries(folder: string): Promise<FolderEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({ key: entry.isDirectory() ? `${entry.name}/` : entry.name, isFolder: entry.isDirectory() }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}
