import type { ChildProcess } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { UserError } from '../../domain/user-error.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import { endProcess, endWithThis, startInBackground } from './background-process.ts';
import { keepHistories } from './history-retention.ts';
import { checkPortIsFree, freePort, loopback } from './ports.ts';
import { privately } from './private-files.ts';
import { isAlive, oneAtATime } from './steps.mjs';
import { namespaceIdAt } from './temporal-answer.ts';
import type { AnsweringServer, NotedServer } from './temporal-lease.ts';
import { findTemporal, temporalFor } from './temporal-program.ts';
import { cacheFolder } from './tools.mjs';

export type TemporalServerOptions = {
  /** The SQLite file that keeps workflows between runs; without it everything is in memory. */
  dbFile?: string;
  /**
   * The `temporal` program to run. Default: for an existing file, one with the server that made it; for a new one, the
   * first one found.
   */
  binary?: string;
  /**
   * Where to listen: loopback, the default, or all of this machine's addresses. At any other address the server cannot
   * reach its own parts.
   */
  host?: '127.0.0.1' | '0.0.0.0';
  /** Exactly this port, or an error. */
  port?: number;
  /** Exactly this port for the UI, or an error. */
  uiPort?: number;
  /**
   * For ports that are not given: `usual` takes 7233 and 8233 or the next free ones after them, `any` (the default) any
   * free port.
   */
  ports?: 'usual' | 'any';
  /** The previous ports, reused if they are free. */
  before?: { port: number; uiPort?: number } | undefined;
  /** `false` starts no UI. */
  ui?: boolean;
};

/** A server that answers. */
export type ServerProcess = AnsweringServer & {
  /** Resolves when the process is gone, with the way it ended. */
  ended: Promise<string>;
  /** Stops the process and waits until it is gone. */
  stop(): Promise<void>;
};

/**
 * Without the first two, the server accepts fairness keys and ignores them. Priorities and fairness hold within one
 * partition of a task queue; one machine's few workers need no more.
 */
const matching = [
  'matching.useNewMatcher=true',
  'matching.enableFairness=true',
  'matching.numTaskqueueReadPartitions=1',
  'matching.numTaskqueueWritePartitions=1',
];

/** Without this the server asks Temporal every hour whether there is a newer version, and reports its own. */
const quiet = 'frontend.enableServerVersionCheck=false';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/** Without the lock, two servers that both found 7233 free would be mistaken for each other until the loser exits. */
const usualPorts = (): string => join(cacheFolder(), 'ports.lock');

/**
 * Starts `temporal server start-dev` and waits until it answers. Another process may take a free port before the server
 * binds it: then this tries again. It does so even with given ports, since the server chooses more for its own parts.
 *
 * @param onSpawn called with each process before it can have opened the file
 * @throws UserError if a port is taken, the program is missing or of another version than the file, or the server exits
 * at once
 */
export async function launch(
  options: TemporalServerOptions,
  onSpawn: (server: NotedServer) => void = () => {},
): Promise<ServerProcess> {
  const once = (): Promise<ServerProcess> => launchOnce(options, onSpawn);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await (options.ports === 'usual' ? oneAtATime(usualPorts(), once) : once());
    } catch (error) {
      const portTaken = error instanceof UserError && error.message.includes('address already in use');
      if (!portTaken || attempt === 3) throw error;
    }
  }
}

async function launchOnce(
  options: TemporalServerOptions,
  onSpawn: (server: NotedServer) => void,
): Promise<ServerProcess> {
  const usual = options.ports === 'usual';
  const host = options.host ?? loopback;
  for (const given of [options.port, options.uiPort]) if (given !== undefined) await checkPortIsFree(given);
  const port = options.port ?? (await freePort(usual ? 7233 : null, options.before?.port));
  const uiPort = options.ui === false ? null : (options.uiPort ?? (await freePort(usual ? 8233 : null)));
  const logFolder = options.dbFile === undefined ? await mkdtemp(join(tmpdir(), 'pixart-temporal-')) : null;
  const logFile = logFolder === null ? `${options.dbFile}.log` : join(logFolder, 'server.log');
  // The output of earlier servers on this file stays in the log.
  const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  const binary = options.binary ?? (options.dbFile === undefined ? findTemporal() : await temporalFor(options.dbFile));
  const args = serverArguments(host, port, uiPort, options.dbFile);
  const child = privately(() => startInBackground(binary, args, { env: childEnvironment('program'), logFile }));
  const address = `${host}:${port}`;
  const noted = { pid: child.pid ?? 0, address, uiUrl: uiPort === null ? null : `http://${host}:${uiPort}` };
  if (child.pid !== undefined) onSpawn(noted);
  const stop = async () => {
    if (child.pid !== undefined) await endProcess(child.pid, stopTimeoutMs);
    if (logFolder !== null) await rm(logFolder, { recursive: true, force: true });
  };
  const ended = endOf(child);
  try {
    const namespaceId = await untilReady(ended, address, () => readFileSync(logFile).subarray(logStart).toString());
    await keepHistories(address);
    return { ...noted, namespaceId, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const serverArguments = (host: string, port: number, uiPort: number | null, dbFile: string | undefined): string[] => [
  ...['server', 'start-dev', '--ip', host, '--port', String(port), '--log-level', 'error'],
  ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort)]),
  ...(dbFile === undefined ? [] : ['--db-filename', resolve(dbFile)]),
  ...[...matching, quiet].flatMap((value) => ['--dynamic-config-value', value]),
  ...SEARCH_ATTRIBUTES.flatMap(({ name }) => ['--search-attribute', `${name}=Int`]),
];

const endOf = (child: ChildProcess): Promise<string> =>
  new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}`));
  });

async function untilReady(ended: Promise<string>, address: string, readLog: () => string): Promise<string> {
  let failure: string | null = null;
  ended.then((how) => {
    failure = how;
  });
  const deadline = Date.now() + startTimeoutMs;
  while (failure === null) {
    const namespaceId = await namespaceIdAt(address, 500);
    if (namespaceId !== null && failure === null) return namespaceId;
    if (Date.now() > deadline) failure = `no answer at ${address} within ${startTimeoutMs / 1000} s`;
    await sleep(100);
  }
  throw new UserError(`the Temporal server did not start: ${failure}\n${lastWords(readLog())}`);
}

/** The last three lines of a log, without the stack traces at the end of a panicking Go program. */
function lastWords(log: string): string {
  const [message] = log.split(/^goroutine \d+ /m, 1);
  return message!.trim().split('\n').slice(-3).join('\n');
}

/** Takes charge of a server that another process started and left behind. */
export async function adopt(server: AnsweringServer): Promise<ServerProcess> {
  const { pid } = server;
  await keepHistories(server.address);
  const ended = untilGone(pid);
  ended.then(endWithThis(pid));
  return { ...server, ended, stop: () => endProcess(pid, stopTimeoutMs) };
}

async function untilGone(pid: number): Promise<string> {
  while (isAlive(pid)) await sleep(500);
  return 'it ended';
}
