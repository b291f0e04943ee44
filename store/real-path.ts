import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * Where a path leads, with every symbolic link on it followed; of what is not there yet, where it would be.
 *
 * @throws Error of the file system where that cannot be told: links in a circle, a folder that this process may not look into
 */
export async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTDIR') throw error;
  }
  const target = await readlink(path).catch(() => null);
  const folder = await realPath(dirname(path));
  return target === null ? join(folder, basename(path)) : realPath(resolve(folder, target));
}

/** By whole names: `/data/output` is not in `/data/out`. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
