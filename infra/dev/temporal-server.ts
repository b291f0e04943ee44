import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileTrouble } from '../../domain/file-trouble.ts';
import { UserError } from '../../domain/user-error.ts';
import { closeFiles } from './private-files.ts';
import type { Holder, Lock } from './process-lock.mjs';
import { serverLeftBehind } from './server-left-behind.ts';
import { namespaceIdAt } from './temporal-answer.ts';
import {
  type AnsweringServer,
  dropLease,
  lockFile,
  type NotedServer,
  readLease,
  refuseEarlierVersion,
  upgradeRuns,
  writeLease,
} from './temporal-lease.ts';
import { adopt, launch, type ServerProcess, type TemporalServerOptions } from './temporal-process.ts';
import { clearUpgradeFolders } from './upgrade-folder.ts';

export type TemporalServer = {
  /** `<host>:<port>`. */
  address: string;
  /** URL of the UI, `null` without one. */
  uiUrl: string | null;
  /** Distinguishes this server from any other that may answer at its address later. */
  namespaceId: string;
  /** The server's process, for tests that kill it. */
  pid: number;
  /**
   * `started` here, `takenOver` from a process that was killed, or `joined`: another live process runs it on the same
   * file, and only that one stops it.
   */
  role: 'started' | 'takenOver' | 'joined';
  /** The process that is responsible for the server. */
  owner: number;
  /**
   * Resolves when the server, or the process that was joined, is gone without being stopped from here; says what
   * happened.
   */
  gone: Promise<string>;
  /** Stops the server if this process is responsible for it, and waits until it is gone. */
  stop(): Promise<void>;
};

const joinTimeoutMs = 60_000;

/**
 * Starts a server and waits until it answers. If another process already runs a server on the file, joins it; if that
 * server's starter was killed, takes it over. Of processes that start at the same time, one starts the server and the
 * others join it.
 *
 * @throws UserError if the port is taken, the program is missing or of another version than the file, the server exits
 * at once, the holder of the file does not get its server to answer, or an upgrade is running
 */
export async function startTemporalServer(options: TemporalServerOptions = {}): Promise<TemporalServer> {
  const { dbFile } = options;
  if (dbFile === undefined) return ourServer(await launch(options), 'started', async () => {});
  for (const deadline = Date.now() + joinTimeoutMs; ; ) {
    const { lock, holder } = await lockFile(dbFile);
    const server = lock === null ? await join(dbFile, holder, deadline) : await startUnder(lock, dbFile, options);
    if (server !== null) return server;
  }
}

async function startUnder(lock: Lock, dbFile: string, options: TemporalServerOptions): Promise<TemporalServer> {
  const note = (server: NotedServer): void => writeLease(dbFile, { owner: process.pid, lock: lock.name, server });
  const release = async (): Promise<void> => {
    dropLease(dbFile, lock.name);
    await lock.release();
  };
  try {
    const lease = readLease(dbFile);
    refuseEarlierVersion(dbFile, lease);
    closeFiles(dbFile);
    const left = await serverLeftBehind(dbFile, lease);
    await clearUpgradeFolders(dbFile);
    const server = left === null ? await launch(options, note) : await adopt(left);
    const { pid, address, uiUrl, namespaceId } = server;
    note({ pid, address, uiUrl, namespaceId });
    return ourServer(server, left === null ? 'started' : 'takenOver', release);
  } catch (error) {
    await release();
    const trouble = fileTrouble(error);
    throw trouble === null ? error : new UserError(`${dirname(dbFile)}: ${trouble} (${(error as Error).message})`);
  }
}

function ourServer(server: ServerProcess, role: TemporalServer['role'], release: () => Promise<void>): TemporalServer {
  const { pid, address, uiUrl, namespaceId, ended } = server;
  const gone = ended.then(async (how) => {
    await release();
    return `the Temporal server at ${address} is gone (${how})`;
  });
  const stop = async (): Promise<void> => {
    await server.stop();
    await release();
  };
  return { pid, address, uiUrl, namespaceId, role, owner: process.pid, gone, stop };
}

/**
 * The server of the process that has the file, or `null` once that process is gone.
 *
 * @throws UserError if that process runs an upgrade, or does not get its server to answer in time
 */
async function join(dbFile: string, holder: Holder, deadline: number): Promise<TemporalServer | null> {
  let hasGone = false;
  const gone = holder.gone.then(() => {
    hasGone = true;
  });
  try {
    while (!hasGone) {
      const lease = readLease(dbFile);
      if (lease?.lock === holder.name) {
        if (lease.purpose === 'upgrade') throw upgradeRuns(dbFile, holder.pid);
        const server = await answering(lease.server);
        if (server !== null) return joined(server, holder);
      }
      if (Date.now() > deadline) {
        throw new UserError(
          `${dbFile} is held by process ${holder.pid}, whose Temporal server does not answer: stop that process`,
        );
      }
      await Promise.race([gone, sleep(200)]);
    }
    return null;
  } catch (error) {
    holder.leave();
    throw error;
  }
}

async function answering(server: NotedServer | undefined): Promise<AnsweringServer | null> {
  if (server?.namespaceId === undefined) return null;
  const { namespaceId } = server;
  return (await namespaceIdAt(server.address)) === namespaceId ? { ...server, namespaceId } : null;
}

const joined = (server: AnsweringServer, { pid, gone, leave }: Holder): TemporalServer => ({
  ...server,
  role: 'joined',
  owner: pid,
  gone: gone.then(() => `process ${pid}, which ran the Temporal server at ${server.address}, has ended`),
  stop: async () => leave(),
});
