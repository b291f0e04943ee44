import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Catalogs' prompts, webhooks' addresses and file names are in the server's file and in logs: they are for their owner only. */
const OTHERS = 0o077;
const STICKY = 0o1000;

/**
 * Makes a folder for its owner only, or closes the one that is there to others. A folder that all share, such as `/tmp`, stays as it is.
 *
 * @returns whether it was open to others
 */
export function privateFolder(path: string): boolean {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return (statSync(path).mode & STICKY) === 0 && closeToOthers(path);
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
