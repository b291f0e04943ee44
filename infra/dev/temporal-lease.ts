import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

/**
 * Who runs the server on one SQLite file. Two servers open the same file without complaint and then fight over it
 * (measured with server 1.29), so the first one leaves this note beside the file.
 */
const leaseSchema = z.object({
  /** The process that started the server. */
  owner: z.int(),
  /** Absent while the server is starting. */
  server: z.object({ pid: z.int(), address: z.string(), uiUrl: z.string().nullable() }).optional(),
});

export type Lease = z.infer<typeof leaseSchema>;

export const leaseFile = (dbFile: string): string => `${dbFile}.server.json`;

/** The note as it stands, or `null` where there is none or it makes no sense (a process died while it wrote). */
export function readLease(dbFile: string): Lease | null {
  try {
    return leaseSchema.parse(JSON.parse(readFileSync(leaseFile(dbFile), 'utf8')));
  } catch {
    return null;
  }
}

/** Takes the lease unless somebody has it; the first one wins. */
export function takeLease(dbFile: string): boolean {
  try {
    writeFileSync(leaseFile(dbFile), JSON.stringify({ owner: process.pid } satisfies Lease), { flag: 'wx' });
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

/** Removes a note that nobody stands behind. Of several processes that try, one renames it and the others find it gone. */
export function breakLease(dbFile: string): void {
  const aside = `${leaseFile(dbFile)}.stale-${process.pid}`;
  if (existsSync(leaseFile(dbFile))) {
    try {
      renameSync(leaseFile(dbFile), aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  rmSync(aside, { force: true });
}

export const dropLease = (dbFile: string): void => rmSync(leaseFile(dbFile), { force: true });
