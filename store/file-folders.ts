import type { BigIntStats } from 'node:fs';
import { lstat, mkdir, open, readdir, realpath, rm, rmdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../domain/user-error.ts';
import { errorCode, isMissing } from './file-errors.ts';
import { usesOf, versionOf } from './file-object.ts';
import { SCRATCH_FOLDER, TEMP_FOLDER } from './object-name.ts';
import type { ListedObject } from './object-store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** A live writer's file is never a day old. A checkpoint helps the retry of a failed or cancelled batch, which is tried soon or never. */
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
 * @throws UserError where a symbolic link lies on the way
 */
export async function findFolder(root: string, name: string): Promise<string> {
  const folder = join(await realpath(root), name);
  if ((await realpath(folder)) !== folder) throw linkInside(folder);
  return folder;
}

/** As findFolder, but makes what is missing. */
export async function makeFolders(root: string, name: string): Promise<string> {
  await makeRoot(root);
  let folder = await realpath(root);
  for (const part of name.split('/').filter((part) => part !== '')) {
    folder = join(folder, part);
    await makeFolder(folder);
  }
  return folder;
}

/** Not by Node's own way to make parents too, which tries for ever where a file system makes no folders (`/proc`). */
async function makeRoot(root: string): Promise<void> {
  try {
    await makeOnce(root);
  } catch (error) {
    if (!isMissing(error) || dirname(root) === root) throw error;
    await makeRoot(dirname(root));
    await makeOnce(root);
  }
}

/** Another writer may have been quicker. */
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
 * Removes what killed writers left behind; what others put there is not touched. What cannot be removed stays: it takes space, but must not keep anybody from
 * writing.
 */
export async function sweepLeftovers(root: string): Promise<void> {
  for (const leftover of LEFTOVERS) await sweepFolder(join(root, leftover.folder), leftover);
}

/** What was renamed has its bytes' time as before, and a younger one of its own. */
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
 * Removes what is empty of a folder of the store, and of those in it. What is not, or cannot be removed, stays.
 *
 * @param name of the folder in the store
 */
export async function removeEmptyFolders(root: string, name: string): Promise<void> {
  const folder = await findFolder(root, name);
  const entries = await readdir(folder, { withFileTypes: true });
  for (const entry of entries) if (entry.isDirectory()) await removeEmptyFolders(root, join(name, entry.name));
  await rmdir(folder).catch(() => {});
}

/** Nothing of a folder that is reached through a symbolic link: it may lie outside the store. */
async function ownEntries(folder: string): Promise<string[]> {
  try {
    return (await lstat(folder)).isDirectory() ? await readdir(folder) : [];
  } catch {
    return [];
  }
}

/** Every file below a folder whose name in the store begins with the prefix; what is not an object yet is left out. */
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

/** A copy is a link, which changes the time of the file's inode, as its removal does: that tells uses apart, and not when one was. */
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

/** A line of a folder's listing, in the order of the objects' full names. */
type FolderEntry = { key: string; isFolder: boolean };

/** Files and folders (their key ends in `/`) in order; symbolic links and devices are no objects. */
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
