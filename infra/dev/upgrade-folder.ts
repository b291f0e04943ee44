import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { endProcess } from './background-process.ts';
import { readLease } from './temporal-lease.ts';

/** Where both servers of an upgrade work: beside the file, so that the new one can be moved into its place. */
export type UpgradeFolder = { path: string; oldFile: string; newFile: string };

const prefix = (dbFile: string): string => `${dbFile}.upgrade-`;

const folderAt = (path: string): UpgradeFolder => ({
  path,
  oldFile: join(path, 'old.db'),
  newFile: join(path, 'new.db'),
});

export const makeUpgradeFolder = (dbFile: string): UpgradeFolder => folderAt(mkdtempSync(prefix(dbFile)));

const stopTimeoutMs = 10_000;

/**
 * Ends the servers and removes the folders of upgrades that were killed. The caller must hold the file's lease, without which no
 * upgrade runs.
 */
export async function clearUpgradeFolders(dbFile: string): Promise<void> {
  const state = dirname(dbFile);
  const left = readdirSync(state).filter((name) => name.startsWith(basename(prefix(dbFile))));
  for (const folder of left.map((name) => folderAt(join(state, name)))) {
    await endServer(folder.oldFile);
    await endServer(folder.newFile);
    rmSync(folder.path, { recursive: true, force: true });
  }
}

async function endServer(file: string): Promise<void> {
  const pid = readLease(file)?.server?.pid;
  if (pid === undefined) return;
  // Another program may have its number by now. The folder's name is unique, however the path to it was written.
  if ((await commandOf(pid)).includes(join(basename(dirname(file)), basename(file))))
    await endProcess(pid, stopTimeoutMs);
}

/** Its command line, or nothing where it has gone. Small images of Linux have no `ps`. */
async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    const env = childEnvironment('program');
    return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { env })).stdout;
  } catch {
    return '';
  }
}
