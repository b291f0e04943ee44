import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { CannotLock, lockOrHolder } from './process-lock.mjs';
import { isAlive } from './steps.mjs';

/**
 * What is known of the server on one SQLite file, a note beside that file. Only who holds the file's lock writes it or drops it, and only a
 * note with the name of a lock that is held is true; any other tells what was left behind.
 */
const leaseSchema = z.object({
  /** The process that answers for the server. */
  owner: z.int(),
  /** The lock under which this was written. Versions up to 0.2.0 have none. */
  lock: z.string().optional(),
  /** That process runs no server on the file but moves it to another version. */
  purpose: z.literal('upgrade').optional(),
  server: z
    .object({
      pid: z.int(),
      address: z.string(),
      uiUrl: z.string().nullable(),
      /** The namespace's id, the same for as long as the file is; absent until the server has answered. */
      namespaceId: z.string().optional(),
    })
    .optional(),
});

export type Lease = z.infer<typeof leaseSchema>;
export type NotedServer = NonNullable<Lease['server']>;
export type AnsweringServer = NotedServer & { namespaceId: string };

export const leaseFile = (dbFile: string): string => `${dbFile}.server.json`;

/**
 * The lock that keeps a second server off the file, or who has it.
 *
 * @throws UserError where the file system has none
 */
export async function lockFile(dbFile: string): ReturnType<typeof lockOrHolder> {
  try {
    return await lockOrHolder(`${dbFile}.lock`);
  } catch (error) {
    if (!(error instanceof CannotLock)) throw error;
    throw new UserError(
      `${dirname(dbFile)}: expected a folder on a disk of this machine, where a Unix socket can be made (${error.message}). Choose another ` +
        'one with --state',
    );
  }
}

/** The note as it stands, or `null` where there is none or it makes no sense. */
export function readLease(dbFile: string): Lease | null {
  try {
    return leaseSchema.parse(JSON.parse(readFileSync(leaseFile(dbFile), 'utf8')));
  } catch {
    return null;
  }
}

export function writeLease(dbFile: string, lease: Lease): void {
  const temporary = `${leaseFile(dbFile)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(lease), { mode: 0o600 });
  renameSync(temporary, leaseFile(dbFile));
}

/** Removes the note that was written under this lock. Another one stays: somebody may have made the whole folder anew. */
export function dropLease(dbFile: string, lock: string): void {
  if (readLease(dbFile)?.lock === lock) rmSync(leaseFile(dbFile), { force: true });
}

/**
 * Up to 0.2.0 the note itself was the lock.
 *
 * @throws UserError where a process of such a version has the file
 */
export function refuseEarlierVersion(dbFile: string, lease: Lease | null): void {
  if (lease === null || lease.lock !== undefined || !isAlive(lease.owner)) return;
  if (lease.server !== undefined && !isAlive(lease.server.pid)) return;
  throw new UserError(
    `${dbFile} is in use by process ${lease.owner}, of an earlier version: end "npx pixart-batch dev" or "npm start" there first, or ` +
      `remove ${leaseFile(dbFile)} if that is an unrelated program`,
  );
}

export const upgradeRuns = (dbFile: string, pid: number): UserError =>
  new UserError(`${dbFile}: an upgrade of this state folder is running (process ${pid}). Try again when it has ended`);
