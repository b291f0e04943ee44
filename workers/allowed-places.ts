import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UserError } from '../domain/user-error.ts';
import { StoreUnavailable, storeKind } from '../store/index.ts';
import { isInside, realPath } from '../store/real-path.ts';
import type { Allowance } from './allowance.ts';
import { refusal } from './refusal.ts';

/**
 * Checks whether a worker may open a folder, a file or a bucket that a batch names, without opening it. URLs of
 * unsupported kinds are left to the code that reports them.
 *
 * @param what a message calls it
 * @throws UserError unless it is allowed
 */
export async function checkPlace({ paths, buckets }: Allowance, what: string, url: string): Promise<void> {
  const kind = storeKind(url);
  if (kind === 'bucket' && buckets !== null && !buckets.some((allowed) => `${url}/`.startsWith(`${allowed}/`))) {
    throw refusal(what, url);
  }
  if (kind === 'folder') await checkPath(paths, what, url);
}

async function checkPath(allowed: readonly string[], what: string, url: string): Promise<void> {
  const path = pathOf(what, url);
  const isNamedInside = allowed.some((folder) => isInside(folder, path));
  const real = await realPath(path).catch((error) => {
    // An allowed place may be unavailable for a while.
    throw isNamedInside
      ? new StoreUnavailable(`${what} ${url}: ${error.message}`, { cause: error })
      : refusal(what, url);
  });
  for (const folder of allowed) {
    const there = await realPath(folder).catch(() => null);
    if (there !== null && isInside(there, real)) return;
  }
  throw refusal(what, url, isNamedInside ? 'a symbolic link that leads elsewhere' : undefined);
}

function pathOf(what: string, url: string): string {
  try {
    const path = fileURLToPath(url);
    if (path.includes('\0')) throw new Error('a zero byte');
    return resolve(path);
  } catch (error) {
    throw new UserError(`${what} ${url}: expected three slashes and a path, as in file:///folder, found ${error}`);
  }
}
