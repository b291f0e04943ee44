import type { ChildProcess } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Connection } from '@temporalio/client';
import { UserError } from '../../domain/user-error.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { endProcess, startInBackground } from './background-process.ts';
import { keepHistories } from './history-retention.ts';
import { checkPortIsFree, freePort, loopback } from './ports.ts';
import { isAlive } from './steps.mjs';
import {
  breakLease,
  dropLease,
  type Lease,
  leaseFile,
  readLease,
  refuseDuringUpgrade,
  takeLease,
  writeLease,
} from './temporal-lease.ts';
import { findTemporal, temporalFor } from './temporal-program.ts';
import { clearUpgradeFolders } from './upgrade-folder.ts';

export type TemporalServerOptions = {
  /** The SQLite file that keeps workflows between runs; without it everything is in memory. */
  dbFile?: string;
  /** The `temporal` program to run; otherwise the first one found, and for a file that is there one with the server that made it. */
  binary?: string;
  /** Where to listen: loopback, the default, or all of this machine's addresses. The server finds its own parts at no other. */
  host?: '127.0.0.1' | '0.0.0.0';
  /** Exactly this port, or an error. */
  port?: number;
  /** Exactly this port for the UI, or an error. */
  uiPort?: number;
  /** Ports that are not given: `usual` takes 7233 and 8233 or the next free ones after them, `any` (the default) whatever is free. */
  ports?: 'usual' | 'any';
  /** `false` starts no UI. */
  ui?: boolean;
};

export type TemporalServer = {
  /** `<host>:<port>`. */
  address: string;
  /** Address of the web page, `null` without a UI. */
  uiUrl: string | null;
  /** The server's process, for tests that kill it. */
  pid: number;
  /** `started` here, or `joined`: another live process runs it on the same file, and only that one ends it. */
  role: 'started' | 'joined';
  /** Ends the server if this process is responsible for it, and waits until it has gone. */
  stop(): Promise<void>;
};

/**
 * Without the first two the server takes fairness keys and pays no heed to them. Order and shares hold within one partition of a
 * queue; a machine's few workers need no more.
 */
const matching = [
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];

const startTimeoutMs = 60_000;
const joinTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/** `true` where a Temporal server answers at the address within the time. */
export async function answers(address: string, timeoutMs = 2_000): Promise<boolean> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: timeoutMs });
    try {
      await connection.withDeadline(Date.now() + timeoutMs, () =>
        connection.workflowService.describeNamespace({ namespace: 'default' }),
      );
      return true;
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}

/**
 * Starts `temporal server start-dev` and waits until it answers. On a file that a live server already has,
 * that server is joined; a server whose starter died is taken over.
 *
 * @throws UserError when the port is taken, the program is missing or of another version than the file, or the server ends at once.
 */
export async function startTemporalServer(options: TemporalServerOptions = {}): Promise<TemporalServer> {
  const { dbFile } = options;
  if (dbFile === undefined) return launch(options);
  mkdirSync(dirname(dbFile), { recursive: true });
  while (!takeLease(dbFile)) {
    const found = await existing(dbFile);
    if (found !== null) return found;
  }
  try {
    await clearUpgradeFolders(dbFile);
    const server = await launch(options);
    const { pid, address, uiUrl } = server;
    writeLease(dbFile, { owner: process.pid, server: { pid, address, uiUrl } });
    const stop = async () => {
      await server.stop();
      dropLease(dbFile);
    };
    return { ...server, stop };
  } catch (error) {
    dropLease(dbFile);
    throw error;
  }
}

/**
 * The server that somebody runs on this file, or `null` when the note beside the file was left over from a dead one and is gone now.
 *
 * @throws UserError when a live process holds the file and its server does not answer, or an upgrade runs.
 */
async function existing(dbFile: string): Promise<TemporalServer | null> {
  const deadline = Date.now() + joinTimeoutMs;
  for (let lease = readLease(dbFile); lease !== null; lease = readLease(dbFile)) {
    refuseDuringUpgrade(dbFile, lease);
    const { owner, server } = lease;
    if (server !== undefined && isAlive(server.pid) && (await answers(server.address))) {
      return isAlive(owner) ? joinRunning(server) : takeOver(dbFile, server);
    }
    const held = isAlive(owner) && (server === undefined ? owner !== process.pid : isAlive(server.pid));
    if (!held) {
      breakLease(dbFile, lease);
      return null;
    }
    if (Date.now() > deadline) {
      throw new UserError(
        `${dbFile} is held by process ${owner}, whose Temporal server does not answer: end that process, ` +
          `or remove ${leaseFile(dbFile)} if it is an unrelated program`,
      );
    }
    await sleep(200);
  }
  breakLease(dbFile, null);
  return null;
}

type RunningServer = NonNullable<Lease['server']>;

const joinRunning = (server: RunningServer): TemporalServer => ({ ...server, role: 'joined', stop: async () => {} });

/** The starter was killed: from now on this process answers for the server. */
async function takeOver(dbFile: string, server: RunningServer): Promise<TemporalServer> {
  writeLease(dbFile, { owner: process.pid, server });
  await keepHistories(server.address);
  const stop = async () => {
    await endProcess(server.pid, stopTimeoutMs);
    dropLease(dbFile);
  };
  return { ...server, role: 'started', stop };
}

/**
 * A free port can be taken by another process before the server binds it: then it is tried again. That holds where ports are
 * given too, since the server chooses more for its own parts.
 */
async function launch(options: TemporalServerOptions): Promise<TemporalServer> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await launchOnce(options);
    } catch (error) {
      const portTaken = error instanceof UserError && error.message.includes('address already in use');
      if (!portTaken || attempt === 3) throw error;
    }
  }
}

async function launchOnce(options: TemporalServerOptions): Promise<TemporalServer> {
  const usual = options.ports === 'usual';
  const host = options.host ?? loopback;
  for (const given of [options.port, options.uiPort]) if (given !== undefined) await checkPortIsFree(given);
  const port = options.port ?? (await freePort(usual ? 7233 : null));
  const uiPort = options.ui === false ? null : (options.uiPort ?? (await freePort(usual ? 8233 : null)));
  const logFolder = options.dbFile === undefined ? await mkdtemp(join(tmpdir(), 'pixart-temporal-')) : null;
  const logFile = logFolder === null ? `${options.dbFile}.log` : join(logFolder, 'server.log');
  // What earlier servers on this file had to say stays in the log.
  const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const binary = options.binary ?? (options.dbFile === undefined ? findTemporal() : await temporalFor(options.dbFile));
  const child = startInBackground(binary, serverArguments(host, port, uiPort, options.dbFile), logFile);
  const end = async () => {
    if (child.pid !== undefined) await endProcess(child.pid, stopTimeoutMs);
    if (logFolder !== null) await rm(logFolder, { recursive: true, force: true });
  };
  const address = `${host}:${port}`;
  try {
    await untilReady(child, address, () => readFileSync(logFile).subarray(logStart).toString());
    await keepHistories(address);
  } catch (error) {
    await end();
    throw error;
  }
  const server = { pid: child.pid!, address, uiUrl: uiPort === null ? null : `http://${host}:${uiPort}` };
  return { ...server, role: 'started', stop: end };
}

const serverArguments = (host: string, port: number, uiPort: number | null, dbFile: string | undefined): string[] => [
  ...['server', 'start-dev', '--ip', host, '--port', String(port), '--log-level', 'error'],
  ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
  ...(dbFile === undefined ? [] : ['--db-filename', dbFile]),
  ...matching.flatMap((value) => ['--dynamic-config-value', value]),
  ...SEARCH_ATTRIBUTES.flatMap(({ name }) => ['--search-attribute', `${name}=Int`]),
];

async function untilReady(child: ChildProcess, address: string, readLog: () => string): Promise<void> {
  let failure: string | null = null;
  child.once('error', (error) => {
    failure = error.message;
  });
  child.once('exit', (code, signal) => {
    failure ??= `it ended with ${signal ?? code}`;
  });
  const deadline = Date.now() + startTimeoutMs;
  while (failure === null) {
    if ((await answers(address, 500)) && failure === null) return;
    if (Date.now() > deadline) failure = `no answer at ${address} within ${startTimeoutMs / 1000} s`;
    await sleep(100);
  }
  throw new UserError(`the Temporal server did not start: ${failure}\n${lastWords(readLog())}`);
}

/** The last three lines of a log before the stack traces with which a Go program that panics ends. */
function lastWords(log: string): string {
  const [message] = log.split(/^goroutine \d+ /m, 1);
  return message!.trim().split('\n').slice(-3).join('\n');
}
