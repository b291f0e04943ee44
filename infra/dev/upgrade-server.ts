import { constants, copyFileSync, existsSync, mkdtempSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { UserError } from '../../domain/user-error.ts';
import { isAlive } from './background-process.ts';
import { ensureVersion } from './install-tool.mjs';
import { earlierTemporal, type Tool, temporal } from './pinned-tools.mjs';
import { SetUpError } from './steps.mjs';
import { breakLease, dropLease, leaseFile, readLease, takeLease } from './temporal-lease.ts';
import { areLater, findTemporalWith, madeBy, noteServer, versionFile } from './temporal-program.ts';
import { startTemporalServer } from './temporal-server.ts';

/** Both servers, as long as it takes to move what is to be kept. */
export type UpgradeServers = {
  /** The address of the old one, on a copy of its file and with no worker. */
  from: string;
  /** The address of the new one, on a file of its own that takes the old one's place. */
  to: string;
  /** When the old one last wrote to its file. */
  servedUntil: Date;
  /** When it was started on the copy: what it did from then on counts for nothing. */
  copiedAt: Date;
};

export type Upgrade<T> = {
  /** The servers' versions, such as `1.29` and `1.32`. */
  from: string;
  to: string;
  /** Where the old file is kept, as it was. */
  oldFile: string;
  moved: T;
};

/**
 * Gives a state folder's server a new file, of the version that this product brings along, which holds what `move` takes there.
 * Where this throws, nothing has changed.
 *
 * @returns `null` where the file is of that version already
 * @throws UserError where there is no file, it is a later server's or in use, or one of the servers cannot be had
 */
export async function upgradeServer<T>(
  dbFile: string,
  move: (servers: UpgradeServers) => Promise<T>,
): Promise<Upgrade<T> | null> {
  const servers = madeBy(dbFile);
  if (servers === null) throw new UserError(`${dbFile}: expected the file of a Temporal server, found none`);
  if (areLater(servers)) {
    throw new UserError(
      `${dbFile} uses Temporal server ${servers.join(' or ')}, which is newer than ${temporal.server}`,
    );
  }
  const newer = await install(temporal);
  if (servers.includes(temporal.server)) return null;
  const older = await serverToRead(dbFile, servers);
  takeFile(dbFile);
  const folder = mkdtempSync(join(dirname(dbFile), 'upgrade-'));
  try {
    const moved = await withBoth(dbFile, folder, { older, newer }, move);
    const oldFile = await exchange(dbFile, folder, newer, servers[0]!);
    return { from: servers[0]!, to: temporal.server, oldFile, moved };
  } finally {
    rmSync(folder, { recursive: true, force: true });
    dropLease(dbFile);
  }
}

async function install(tool: Tool): Promise<string> {
  try {
    return await ensureVersion(tool);
  } catch (error) {
    throw error instanceof SetUpError ? new UserError(error.message) : error;
  }
}

async function serverToRead(dbFile: string, servers: string[]): Promise<string> {
  const found = await findTemporalWith(servers);
  if (found !== null) return found;
  if (servers.includes(earlierTemporal.server)) return install(earlierTemporal);
  throw new UserError(
    `${dbFile}: expected a "temporal" program with server ${servers.join(' or ')} on the PATH, which alone reads the schedules in ` +
      `this file; found none. Install that version (${temporal.byHand})`,
  );
}

/** Keeps servers off the file. */
function takeFile(dbFile: string): void {
  const { owner, server } = readLease(dbFile) ?? {};
  const holder = [server?.pid, owner].find((pid) => pid !== undefined && isAlive(pid));
  if (holder === undefined) breakLease(dbFile);
  if (holder !== undefined || !takeLease(dbFile)) {
    const who = holder === undefined ? 'another process' : `process ${holder}`;
    throw new UserError(
      `${dbFile} is in use by ${who}: end "npx pixart-batch dev" or "npm start" there first, or remove ` +
        `${leaseFile(dbFile)} if that is an unrelated program`,
    );
  }
  if (existsSync(journalOf(dbFile))) {
    dropLease(dbFile);
    throw new UserError(
      `${dbFile}: its server was killed while it wrote. Run "npx pixart-batch dev" once, which repairs the file, and end it with Ctrl-C`,
    );
  }
}

/** SQLite leaves it where a transaction was cut off, and undoes that one when the file is opened next. */
const journalOf = (dbFile: string): string => `${dbFile}-journal`;

const newFile = (folder: string): string => join(folder, 'new.db');

async function withBoth<T>(
  dbFile: string,
  folder: string,
  binaries: { older: string; newer: string },
  move: (servers: UpgradeServers) => Promise<T>,
): Promise<T> {
  const copy = join(folder, 'old.db');
  copyFileSync(dbFile, copy, constants.COPYFILE_FICLONE);
  const [servedUntil, copiedAt] = [statSync(dbFile).mtime, new Date()];
  // The older one first: its lists lag behind by a moment.
  const older = await startTemporalServer({ dbFile: copy, binary: binaries.older, ui: false });
  try {
    const newer = await startTemporalServer({ dbFile: newFile(folder), binary: binaries.newer, ui: false });
    try {
      return await move({ from: older.address, to: newer.address, servedUntil, copiedAt });
    } finally {
      await newer.stop();
    }
  } finally {
    await older.stop();
  }
}

/** A file without a note of its version is recognised by its schema, should this process end half-way. */
async function exchange(dbFile: string, folder: string, binary: string, server: string): Promise<string> {
  if (existsSync(journalOf(newFile(folder)))) {
    throw new UserError('the new Temporal server did not shut down cleanly; the machine may be overloaded. Try again');
  }
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const oldFile = `${dbFile}.server-${server}-${time}`;
  copyFileSync(dbFile, join(folder, 'kept.db'), constants.COPYFILE_FICLONE);
  renameSync(join(folder, 'kept.db'), oldFile);
  rmSync(versionFile(dbFile), { force: true });
  renameSync(newFile(folder), dbFile);
  await noteServer(dbFile, binary);
  return oldFile;
}
