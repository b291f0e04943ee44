import { constants, copyFileSync, existsSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { compactTime } from '../../domain/batch-id.ts';
import { UserError } from '../../domain/user-error.ts';
import { ensureVersion } from './install-tool.mjs';
import { earlierTemporal, temporal } from './pinned-tools.mjs';
import { closeFiles } from './private-files.ts';
import type { Lock } from './process-lock.mjs';
import { isServerOn } from './server-left-behind.ts';
import { SetUpError } from './steps.mjs';
import { dropLease, lockFile, readLease, refuseEarlierVersion, upgradeRuns, writeLease } from './temporal-lease.ts';
import { areLater, findTemporalWith, madeBy, noteServer, versionFile } from './temporal-program.ts';
import { startTemporalServer } from './temporal-server.ts';
import { clearUpgradeFolders, makeUpgradeFolder, type UpgradeFolder } from './upgrade-folder.ts';

/** Both servers, running while the data is moved. */
export type UpgradeServers = {
  /** The address of the old one, on a copy of its file and with no worker. */
  from: string;
  /** The address of the new one, on a new file that will replace the old one. */
  to: string;
  /** When the old one last wrote to its file. */
  servedUntil: Date;
  /** When it was started on the copy: whatever it did from then on is discarded. */
  copiedAt: Date;
};

export type Upgrade<T> = {
  /** The servers' versions, such as `1.29` and `1.32`. */
  from: string;
  to: string;
  /** Where the old file is kept, unchanged. */
  oldFile: string;
  moved: T;
};

/**
 * Replaces the file of a state folder's server by one of the product's own server version, which holds whatever `move`
 * transfers. If this throws, nothing has changed. A file of that version already stays as it is; its server is made
 * available.
 *
 * @returns `null` if the file is of that version already
 * @throws UserError if there is no file, it belongs to a newer server or is in use, or one of the servers cannot be
 * installed
 */
export async function upgradeServer<T>(
  dbFile: string,
  move: (servers: UpgradeServers) => Promise<T>,
): Promise<Upgrade<T> | null> {
  const servers = madeBy(dbFile);
  if (servers === null) throw new UserError(`${dbFile}: expected a Temporal server's file, found none`);
  if (areLater(servers)) {
    throw new UserError(
      `${dbFile} uses Temporal server ${servers.join(' or ')}, which is newer than ${temporal.server}`,
    );
  }
  if (servers.includes(temporal.server)) {
    await programWith(servers, dbFile);
    return null;
  }
  const older = await programWith(servers, dbFile);
  const newer = await programWith([temporal.server], dbFile);
  const lock = await takeFile(dbFile);
  try {
    await refuseWhereUsed(dbFile);
    writeLease(dbFile, { owner: process.pid, lock: lock.name, purpose: 'upgrade' });
    closeFiles(dbFile);
    // Another upgrade may have finished while the programs were being installed.
    if (!isDeepStrictEqual(madeBy(dbFile), servers))
      throw new UserError(`${dbFile} has changed in the meantime; try again`);
    await clearUpgradeFolders(dbFile);
    const folder = makeUpgradeFolder(dbFile);
    try {
      const moved = await withBoth(dbFile, folder, { older, newer }, move);
      const oldFile = await exchange(dbFile, folder, newer, servers[0]!);
      return { from: servers[0]!, to: temporal.server, oldFile, moved };
    } finally {
      rmSync(folder.path, { recursive: true, force: true });
    }
  } finally {
    dropLease(dbFile, lock.name);
    await lock.release();
  }
}

/** A program on the PATH is as good as an installed one. */
async function programWith(servers: string[], dbFile: string): Promise<string> {
  const found = await findTemporalWith(servers);
  if (found !== null) return found;
  const tool = [temporal, earlierTemporal].find(({ server }) => servers.includes(server));
  if (tool === undefined) {
    throw new UserError(
      `${dbFile}: expected a "temporal" program with server ${servers.join(' or ')} on the PATH, the only one that can read the ` +
        `schedules in this file; found none. Install that version (${temporal.byHand})`,
    );
  }
  try {
    return await ensureVersion(tool);
  } catch (error) {
    throw error instanceof SetUpError ? new UserError(error.message) : error;
  }
}

/** A starting process that finds the file taken holds its lock only for a moment. */
const PATIENCE_MS = 1_000;

/** Keeps servers off the file. @throws UserError if a process has it */
async function takeFile(dbFile: string): Promise<Lock> {
  for (;;) {
    const { lock, holder } = await lockFile(dbFile);
    if (lock !== null) return lock;
    const isFree = await Promise.race([holder.gone.then(() => true), sleep(PATIENCE_MS, false)]);
    holder.leave();
    if (isFree) continue;
    const lease = readLease(dbFile);
    if (lease?.lock === holder.name && lease.purpose === 'upgrade') throw upgradeRuns(dbFile, holder.pid);
    throw new UserError(
      `${dbFile} is in use by process ${holder.pid}: stop "npx pixart-batch dev" or "npm start" there first`,
    );
  }
}

/** @throws UserError if an abandoned server has the file, or a transaction was cut off */
async function refuseWhereUsed(dbFile: string): Promise<void> {
  const lease = readLease(dbFile);
  refuseEarlierVersion(dbFile, lease);
  const server = lease?.server;
  if (server !== undefined && (await isServerOn(dbFile, server))) {
    throw new UserError(
      `${dbFile}: its Temporal server (process ${server.pid}) is still running, left behind by a "dev" or "start" that was killed. Run ` +
        '"npx pixart-batch dev" once, which takes it over, and stop it with Ctrl-C',
    );
  }
  if (existsSync(journalOf(dbFile))) {
    throw new UserError(
      `${dbFile}: its server was killed while it wrote. Run "npx pixart-batch dev" once, which repairs the file, and stop it with Ctrl-C`,
    );
  }
}

/** SQLite leaves it if a transaction was cut off, and rolls that back when the file is opened next. */
const journalOf = (dbFile: string): string => `${dbFile}-journal`;

async function withBoth<T>(
  dbFile: string,
  { oldFile: copy, newFile }: UpgradeFolder,
  binaries: { older: string; newer: string },
  move: (servers: UpgradeServers) => Promise<T>,
): Promise<T> {
  copyFileSync(dbFile, copy, constants.COPYFILE_FICLONE);
  const [servedUntil, copiedAt] = [statSync(dbFile).mtime, new Date()];
  // The older one first: its visibility store lags behind by a moment.
  const older = await startTemporalServer({ dbFile: copy, binary: binaries.older, ui: false });
  try {
    const newer = await startTemporalServer({ dbFile: newFile, binary: binaries.newer, ui: false });
    try {
      return await move({ from: older.address, to: newer.address, servedUntil, copiedAt });
    } finally {
      await newer.stop();
    }
  } finally {
    await older.stop();
  }
}

/** If this process dies half-way, a file without a record of its version is recognised by its schema. */
async function exchange(
  dbFile: string,
  { path, newFile }: UpgradeFolder,
  binary: string,
  server: string,
): Promise<string> {
  if (existsSync(journalOf(newFile))) {
    throw new UserError('the new Temporal server did not shut down cleanly; the machine may be overloaded. Try again');
  }
  const oldFile = `${dbFile}.server-${server}-${compactTime(new Date())}`;
  copyFileSync(dbFile, join(path, 'kept.db'), constants.COPYFILE_FICLONE);
  renameSync(join(path, 'kept.db'), oldFile);
  rmSync(versionFile(dbFile), { force: true });
  renameSync(newFile, dbFile);
  // The exchange is done: without the record the schema identifies the version.
  await noteServer(dbFile, binary).catch(() => {});
  return oldFile;
}
