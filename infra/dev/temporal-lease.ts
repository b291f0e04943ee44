import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import { removeStale } from './stale-file.mjs';
import { isAlive } from './steps.mjs';

/**
 * Who runs the server on one SQLite file. Two servers open the same file without complaint and then fight over it
 * (measured with server 1.29), so the first one leaves this note beside the file.
 */
const leaseSchema = z.object({
  /** The process that started the server. */
  owner: z.int(),
  /** That process runs no server on the file but moves it to another version. */
  purpose: z.literal('upgrade').optional(),
  /** Absent while the server is starting. */
  server: z.object({ pid: z.int(), address: z.string(), uiUrl: z.string().nullable() }).optional(),
});

export type Lease = z.infer<typeof leaseSchema>;

export const leaseFile = (dbFile: string): string => `${dbFile}.server.json`;

/** The note as it stands, or `null` where there is none or it makes no sense (a process died while it wrote). */
export function readLease(dbFile: string): Lease | null {
  try {
    return parse(readFileSync(leaseFile(dbFile), 'utf8'));
  } catch {
    return null;
  }
}

function parse(content: string): Lease | null {
  try {
    return leaseSchema.parse(JSON.parse(content));
  } catch {
    return null;
  }
}

/** Takes the lease unless somebody has it; the first one wins. */
export function takeLease(dbFile: string, purpose?: 'upgrade'): boolean {
  const lease: Lease = { owner: process.pid, purpose };
  try {
    writeFileSync(leaseFile(dbFile), JSON.stringify(lease), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export function writeLease(dbFile: string, lease: Lease): void {
  const temporary = `${leaseFile(dbFile)}.${process.pid}`;
  writeFileSync(temporary, JSON.stringify(lease));
  renameSync(temporary, leaseFile(dbFile));
}

/** Removes a note that nobody stands behind, unless it is another one by now. */
export const breakLease = (dbFile: string, read: Lease | null): void =>
  removeStale(leaseFile(dbFile), (content) => isDeepStrictEqual(parse(content), read));

/** @throws UserError where the note is that of an upgrade which runs */
export function refuseDuringUpgrade(dbFile: string, { owner, purpose }: Lease): void {
  if (purpose !== 'upgrade' || owner === process.pid || !isAlive(owner)) return;
  throw new UserError(
    `${dbFile}: an upgrade of this state folder is running (process ${owner}). Try again when it has ended, or remove ` +
      `${leaseFile(dbFile)} if that is an unrelated program`,
  );
}

export const dropLease = (dbFile: string): void => rmSync(leaseFile(dbFile), { force: true });
