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
  /** Ports of the last time, which are taken again where they are free. */
  before?: { port: number; uiPort?: number } | undefined;
  /** `false` starts no UI. */
  ui?: boolean;
};

/** A server that answers. */
export type ServerProcess = AnsweringServer & {
  /** Settles when the process has gone, with how it ended. */
  ended: Promise<string>;
  /** Ends the process and waits until it has gone. */
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

/** Otherwise it asks its makers, hour by hour, whether there is a newer version, and tells them which one it is. */
const quiet = 'frontend.enableServerVersionCheck=false';

const startTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/** Two servers that both found 7233 free would be taken for one another until the one that lost it ends. */
const usualPorts = (): string => join(cacheFolder(), 'ports.lock');

/**
 * Starts `temporal server start-dev` and waits until it answers. A free port can be taken by another process before the server binds it: then it
 * is tried again. That holds where ports are given too, since the server chooses more for its own parts.
 *
 * @param onSpawn told of each process before it can have opened the file
 * @throws UserError when a port is taken, the program is missing or of another version than the file, or the server ends at once.
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
  // What earlier servers on this file had to say stays in the log.
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

/** The last three lines of a log before the stack traces with which a Go program that panics ends. */
function lastWords(log: string): string {
  const [message] = log.split(/^goroutine \d+ /m, 1);
  return message!.trim().split('\n').slice(-3).join('\n');
}

/** A server that another process started and left behind, in this one's care from now on. */
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
