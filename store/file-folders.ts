import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../domain/user-error.ts';
import { errorCode, isMissing } from './file-errors.ts';
import { usesOf, versionOf } from './file-object.ts';
import { SCRATCH_FOLDER, TEMP_FOLDER } from './object-name.ts';
import type { ListedObject } from './object-store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/**
 * No live writer's file is a day old. A checkpoint serves the retry of a failed or cancelled batch, which happens soon
 * or never.
 */
const LEFTOVERS = [
  {
    folder: TEMP_FOLDER,
    ours: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.removed$/,
    ageMs: DAY_MS,
    since: 'ctimeMs',
  },
  {
    folder: TEMP_FOLDER,
    ours: /^([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{64}\.claim)$/,
    ageMs: DAY_MS,
    since: 'mtimeMs',
  },
  { folder: SCRATCH_FOLDER, ours: /^[0-9a-f]{64}\.latents$/, ageMs: 7 * DAY_MS, since: 'mtimeMs' },
] as const;

/**
 * The real path of one of the store's folders; `''` is the store itself. Only the store's root may be a symbolic link:
 * one further in could lead out of the store.
 *
 * @throws UserError if a component of the path below the root is a symbolic link
 */
export async function findFolder(root: string, name: string): Promise<string> {
  const folder = join(await realpath(root), name);
  if ((await realpath(folder)) !== folder) throw linkInside(folder);
  return folder;
}

/** Like findFolder, but creates missing folders. */
export async function makeFolders(root: string, name: string): Promise<string> {
  await makeRoot(root);
  let folder = await realpath(root);
  for (const part of name.split('/').filter((part) => part !== '')) {
    folder = join(folder, part);
    await makeFolder(folder);
  }
  return folder;
}

/** Avoids Node's `recursive` option, which never returns on a file system without folders to create (`/proc`). */
async function makeRoot(root: string): Promise<void> {
  try {
    await makeOnce(root);
  } catch (error) {
    if (!isMissing(error) || dirname(root) === root) throw error;
    await makeRoot(dirname(root));
    await makeOnce(root);
  }
}

/** Another writer may have created it first. */
const makeOnce = (folder: string): Promise<void> =>
  mkdir(folder).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });

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
    `store: expected a folder at ${folder}, found a symbolic link in the path; link the whole store instead`,
  );

/** Flushes a folder, so that names added to it survive a power cut, if the file system supports that. */
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
 * Removes what killed writers left behind, and nothing that others put there. A leftover that cannot be removed stays:
 * it takes space, but must not stop anyone from writing.
 */
export async function sweepLeftovers(root: string): Promise<void> {
  for (const leftover of LEFTOVERS) await sweepFolder(join(root, leftover.folder), leftover);
}

/** A rename keeps the file's mtime and renews its ctime, hence `since`. */
async function sweepFolder(folder: string, { ours, ageMs, since }: (typeof LEFTOVERS)[number]): Promise<void> {
  for (const entry of await ownEntries(folder)) {
    if (!ours.test(entry)) continue;
    const path = join(folder, entry);
    const modified = await lstat(path).then(
      (found) => found[since],
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - modified > ageMs) await rm(path, { force: true }).catch(() => {});
  }
}

/**
 * Removes a folder of the store and its subfolders if they are empty. Any that are not, or that cannot be removed, stay.
 *
 * @param name the folder's name in the store
 */
export async function removeEmptyFolders(root: string, name: string): Promise<void> {
  const folder = await findFolder(root, name);
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(root, join(name, entry.name));
  await rmdir(folder).catch(() => {});
}

/** A folder's entries; none if the folder is a symbolic link, which may lead out of the store. */
async function ownEntries(folder: string): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  } catch {
    return [];
  }
}

/** Every file below a folder whose name in the store begins with the prefix, except temporary files. */
export async function* filesUnder(root: string, folder: string, prefix: string): AsyncGenerator<ListedObject> {
  for (const { key, isFolder } of await orderedEntries(join(root, folder))) {
    const name = folder + key;
    if (name === `${TEMP_FOLDER}/`) continue;
    if (isFolder && (name.startsWith(prefix) || prefix.startsWith(name))) yield* filesUnder(root, name, prefix);
    if (isFolder || !name.startsWith(prefix)) continue;
    const found = await lstat(join(root, name), { bigint: true }).catch((error: unknown) => {
      if (isMissing(error)) return null;
      throw error;
    });
    if (found !== null) yield { name, ...listingOf(found) };
  }
}

/** A copy is a hard link. Adding or removing one changes the inode's ctime, which shows that there was a use, but not when. */
function listingOf(found: BigIntStats): Omit<ListedObject, 'name'> {
  const writtenAt = Number(found.mtimeNs) / 1e6;
  return {
    bytes: Number(found.size),
    writtenAt,
    version: versionOf(found),
    usedAt: writtenAt,
    uses: usesOf(found),
    isShared: found.nlink > 1n,
  };
}

/** An entry of a folder's listing; the key sorts as the objects' full names do. */
type FolderEntry = { key: string; isFolder: boolean };

/** Files and folders (a folder's key ends in `/`) in order; symbolic links and devices are not objects. */
async function orderedEntries(folder: string): Promise<FolderEntry[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => ({ key: entry.isDirectory() ? `${entry.name}/` : entry.name, isFolder: entry.isDirectory() }))
    .sort((a, b) => Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)));
}
