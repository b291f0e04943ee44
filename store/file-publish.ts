import { link, lstat, open, rename, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { errorCode, isMissing, isNoLink } from './file-errors.ts';
import { StoreUnavailable } from './object-store.ts';

const CLAIM_TRIES = 100;
const CLAIM_PAUSE_MS = 20;
/** A claim is held for two system calls; one this old belongs to a process that died. */
const STALE_CLAIM_MS = 60_000;

/**
 * Gives a finished temporary file its name unless something has that name already.
 *
 * @returns whether this call did it
 */
export async function publishOnce(temp: string, target: string, claim: string): Promise<boolean> {
  try {
    await link(temp, target);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    if (!isNoLink(error)) throw error;
    return publishByClaim(temp, target, claim);
  }
}

/**
 * The same for file systems without hard links (FAT, exFAT, some network mounts). A rename would replace what is there, so writers
 * take turns by creating and removing the claim file.
 */
export const publishByClaim = (temp: string, target: string, claim: string): Promise<boolean> =>
  withClaim(claim, async () => {
    if (await exists(target)) return false;
    await rename(temp, target);
    return true;
  });

/** Runs an action, a few system calls at most, while nothing else runs under the same claim file. */
export async function withClaim<T>(claim: string, action: () => Promise<T>): Promise<T> {
  await takeClaim(claim);
  try {
    return await action();
  } finally {
    await rm(claim, { force: true });
  }
}

async function takeClaim(claim: string): Promise<void> {
  for (let tries = 0; tries < CLAIM_TRIES; tries++) {
    try {
      await (await open(claim, 'wx')).close();
      return;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    await dropStaleClaim(claim);
    await sleep(CLAIM_PAUSE_MS);
  }
  throw new StoreUnavailable(
    `another process has held the claim on this object for too long; its claim file is ${claim}`,
  );
}

async function dropStaleClaim(claim: string): Promise<void> {
  const age = await lstat(claim).then(
    (found) => Date.now() - found.mtimeMs,
    () => 0,
  );
  if (age > STALE_CLAIM_MS) await rm(claim, { force: true });
}

async function exists(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}
