import { chmodSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../../domain/user-error.ts';

/** The server's file and the logs hold prompts, webhook addresses and file names: they are private to their owner. */
const OTHERS = 0o077;
const STICKY = 0o1000;

/** What the product itself writes to a state folder. */
const OURS = /^(temporal\.db|fleet-|logs$)/;

/**
 * Creates a state folder that is private to its owner, or makes an existing one private. A folder with other things in
 * it, such as a home folder, stays as it is, and so does a shared one, such as `/tmp`: there the files are made private
 * one by one.
 *
 * @returns whether others had access to it
 * @throws UserError if it cannot be created
 */
export function privateFolder(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'EEXIST' || code === 'ENOTDIR' ? 'a file at or above it' : (error as Error).message;
    throw new UserError(`--state ${path}: expected a folder, or a path where one can be created; found ${found}`);
  }
  const isShared = (statSync(path).mode & STICKY) !== 0;
  return !isShared && readdirSync(path).every((name) => OURS.test(name)) && closeToOthers(path);
}

/** Makes a file private to its owner, and every file beside it whose name starts with its name. */
export function closeFiles(file: string): void {
  const folder = dirname(file);
  for (const name of readdirSync(folder)) if (name.startsWith(basename(file))) closeToOthers(join(folder, name));
}

/** @returns whether others had access to it, and it is ours to change */
export function closeToOthers(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || found.uid !== process.getuid?.() || (found.mode & OTHERS) === 0) return false;
  try {
    chmodSync(path, found.mode & 0o700);
  } catch (error) {
    // Another process that is starting has removed the socket with which it asked for the lock.
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  return true;
}

/** Runs a function with new files private to their owner, including those of processes that it starts. */
export function privately<T>(run: () => T): T {
  const usual = process.umask(OTHERS);
  try {
    return run();
  } finally {
    process.umask(usual);
  }
}
