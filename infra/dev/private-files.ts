import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../domain/user-error.ts';

/** Catalogs' prompts, webhooks' addresses and file names are in the server's file and in logs: they are for their owner only. */
const OTHERS = 0o077;
const STICKY = 0o1000;

/** What the product itself puts into a state folder. */
const OURS = /^(temporal\.db|fleet-|logs$)/;

/**
 * Makes a state folder for its owner only, or closes the one that is there to others. One that has other things in it, such as a home folder,
 * stays as it is, and so does one that all share, such as `/tmp`: the files in it are closed each for itself.
 *
 * @returns whether it was open to others
 * @throws UserError where it cannot be made
 */
export function privateFolder(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file at or above it' : (error as Error).message;
    throw new UserError(`--state ${path}: expected a folder, or a place to make one in; found ${found}`);
  }
  const isShared = (statSync(path).mode & STICKY) !== 0;
  return !isShared && readdirSync(path).every((name) => OURS.test(name)) && closeToOthers(path);
}

/** Closes a file to others, and those beside it whose names begin with its own. */
export function closeFiles(file: string): void {
  const folder = dirname(file);
  for (const name of readdirSync(folder)) if (name.startsWith(basename(file))) closeToOthers(join(folder, name));
}

/** @returns whether it was open to others, and ours to close */
export function closeToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.uid !== process.getuid?.() || (found.mode & OTHERS) === 0) return false;
  try {
    chmodSync(path, found.mode & 0o700);
  } catch (error) {
    // Another process that starts has removed the socket by which it asked for the lock.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return true;
}

/** Runs something whose new files are for their owner only, those of processes that it starts too. */
export function privately<T>(run: () => T): T {
  const usual = process.umask(OTHERS);
  try {
    return run();
  } finally {
    process.umask(usual);
  }
}
