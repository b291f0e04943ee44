import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { endServerLeftBehind } from './server-left-behind.ts';
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

/**
 * Stops the servers and removes the folders of upgrades that were killed. The caller must hold the file's lease,
 * without which no upgrade runs.
 */
export async function clearUpgradeFolders(dbFile: string): Promise<void> {
  const state = dirname(dbFile);
  const left = readdirSync(state).filter((name) => name.startsWith(basename(prefix(dbFile))));
  for (const folder of left.map((name) => folderAt(join(state, name)))) {
    for (const file of [folder.oldFile, folder.newFile]) await endServerLeftBehind(file, readLease(file));
    rmSync(folder.path, { recursive: true, force: true });
  }
}
