import { link, rename } from 'node:fs/promises';
import { isNoLink } from './file-errors.ts';
import { writeDurably } from './file-io.ts';
import { type FileObject, versionAt } from './file-object.ts';
import { withClaim } from './file-publish.ts';
import type { FileTree } from './file-tree.ts';
import { checkObjectName, TEMP_FOLDER } from './object-name.ts';
import { ObjectChanged } from './object-store.ts';

/** Objects share their bytes with their copies, so an editor that writes in place must be kept out. */
export const READ_ONLY = 0o444;

/** Gives the file a second name, replacing whatever has it; copies the bytes if no link is possible. */
export async function linkFile(tree: FileTree, file: FileObject, to: string): Promise<void> {
  checkObjectName(to);
  try {
    const source = await tree.pathOf(file.name);
    await tree.viaTemp(to, async (temp, target) => {
      if (await isLinked(source, temp)) await checkIs(tree, file, temp);
      else await writeDurably(temp, await file.read(), READ_ONLY);
      await rename(temp, target);
    });
  } catch (error) {
    throw tree.notWritten(`copy ${file.name} to ${to}`, error);
  }
}

/** Adds a link for a moment, which changes the ctime: see usesOf. */
export async function noteUse(tree: FileTree, file: FileObject): Promise<void> {
  try {
    const source = await tree.pathOf(file.name);
    await tree.viaTemp(file.name, async (temp) => {
      if (await isLinked(source, temp)) await checkIs(tree, file, temp);
    });
  } catch (error) {
    throw tree.notWritten(`note the use of ${file.name}`, error);
  }
}

/**
 * Renames the file.
 *
 * @returns false if another file has the name by now
 */
export async function moveAside(tree: FileTree, file: FileObject, aside: string): Promise<boolean> {
  checkObjectName(aside);
  try {
    // A claim needs its folder.
    await tree.makePath(`${TEMP_FOLDER}/claim`);
    return await withClaim(tree.claim(file.name), async () => {
      const path = await tree.pathOf(file.name);
      if ((await versionAt(path)) !== file.version) return false;
      await rename(path, await tree.makePath(aside));
      return true;
    });
  } catch (error) {
    throw tree.notWritten(`move ${file.name} to ${aside}`, error);
  }
}

async function checkIs({ url }: FileTree, file: FileObject, path: string): Promise<void> {
  if ((await versionAt(path)) !== file.version) throw new ObjectChanged(url, file.name);
}

/** @returns false if the file system has no hard links, allows none here, or has too many to this file */
async function isLinked(source: string, target: string): Promise<boolean> {
  try {
    await link(source, target);
    return true;
  } catch (error) {
    if (isNoLink(error)) return false;
    throw error;
  }
}
