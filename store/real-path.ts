import { readlink, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';

/**
 * Where a path leads, with every symbolic link followed; for a file that does not exist yet, where it would be.
 *
 * @throws the file system's error if that is unknown: links in a circle, a folder that this process may not read
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

/** Compares whole names: `/data/output` is not inside `/data/out`. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
