import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { CannotLock, lockOrHolder } from './process-lock.mjs';
import { isAlive } from './steps.mjs';

/**
 * A note beside an SQLite file about the server on it. Only the holder of the file's lock writes or removes it, and it
 * is valid only if it names a lock that is held; any other describes what was left behind.
 */
const leaseSchema = z.object({
  /** The process that is responsible for the server. */
  owner: z.int(),
  /** The lock under which this was written. Versions up to 0.2.0 have no locks. */
  lock: z.string().optional(),
  /** That process runs no server on the file but upgrades it to another version. */
  purpose: z.literal('upgrade').optional(),
  server: z
    .object({
      pid: z.int(),
      address: z.string(),
      uiUrl: z.string().nullable(),
      /**
       * The namespace's id, which stays the same for as long as the file exists; absent until the server has answered.
       */
      namespaceId: z.string().optional(),
    })
    .optional(),
});

export type Lease = z.infer<typeof leaseSchema>;
export type NotedServer = NonNullable<Lease['server']>;
export type AnsweringServer = NotedServer & { namespaceId: string };

export const leaseFile = (dbFile: string): string => `${dbFile}.server.json`;

/**
 * The lock that keeps a second server off the file, or its holder.
 *
 * @throws UserError if the file system has no locks
 */
export async function lockFile(dbFile: string): ReturnType<typeof lockOrHolder> {
  try {
    return await lockOrHolder(`${dbFile}.lock`);
  } catch (error) {
    if (!(error instanceof CannotLock)) throw error;
    throw new UserError(
      `${dirname(dbFile)}: expected a folder on a local disk, where Unix sockets work (${error.message}). Choose another ` +
        'with --state',
    );
  }
}

/** The note, or `null` if there is none or it is unreadable. */
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

/** Removes the note that was written under this lock. Any other stays: the whole folder may have been recreated. */
export function dropLease(dbFile: string, lock: string): void {
  if (readLease(dbFile)?.lock === lock) rmSync(leaseFile(dbFile), { force: true });
}

/**
 * Up to 0.2.0 the note itself was the lock.
 *
 * @throws UserError if a process of such a version has the file
 */
export function refuseEarlierVersion(dbFile: string, lease: Lease | null): void {
  if (lease === null || lease.lock !== undefined || !isAlive(lease.owner)) return;
  if (lease.server !== undefined && !isAlive(lease.server.pid)) return;
  throw new UserError(
    `${dbFile} is in use by process ${lease.owner}, of an earlier version: stop "npx pixart-batch dev" or "npm start" there first, or ` +
      `remove ${leaseFile(dbFile)} if that process is an unrelated program`,
  );
}

export const upgradeRuns = (dbFile: string, pid: number): UserError =>
  new UserError(`${dbFile}: an upgrade of this state folder is running (process ${pid}). Try again when it is done`);
