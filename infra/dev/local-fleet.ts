import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { temporalTarget } from '../../connection/temporal-target.ts';
import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { noteFleet } from './fleet-note.ts';
import { type KeptServer, keepServer } from './kept-server.ts';
import { loopback } from './ports.ts';
import { closeToOthers, privateFolder } from './private-files.ts';
import { portsOf, rememberedServer, rememberServer } from './server-memory.ts';
import { type Supervised, supervise } from './supervised-process.ts';
import { serverFile } from './temporal-program.ts';

export type FleetOptions = {
  /** Holds the server's SQLite file and the logs. */
  stateFolder: string;
  /** A server that is already running; without it one is started. */
  address?: string | undefined;
  namespace?: string | undefined;
  bundle: string;
  sizes: Size[];
  device: string;
  children?: number | undefined;
  microBatch?: number | 'auto' | undefined;
  threads?: number | undefined;
  /** Where to store checkpoints of long images, if not in the store. */
  scratch?: string | undefined;
  /** URLs that batches may name besides the state folder: the workers' `--allow`. */
  allow?: string[] | undefined;
  /** Receives a line when the server goes away and comes back, and anything else a person should know. */
  tell: (line: string) => void;
};

/** A Temporal server, an orchestrator and a render worker on this machine, each in its own process. */
export type LocalFleet = {
  address: string;
  /** The UI of the server that was started or joined; unknown for a server given by address. */
  uiUrl: string | null;
  /**
   * The other process on this machine that runs the server and whose workers share the work; `null` if there is none.
   */
  sharedWith: number | null;
  logFolder: string;
  /** Resolves when the workers are polling, according to their logs; never, if LOG_LEVEL hides that line. */
  ready: Promise<unknown>;
  /** Resolves when a worker cannot continue, or the server that was started or joined is gone for good. */
  gaveUp: Promise<UserError>;
  /** Stops everything that was started, workers first. */
  stop(): Promise<void>;
};

const command = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url));
const endWithStarter = new URL('./end-with-starter.mjs', import.meta.url).href;

/** On one machine a person is waiting for the exit, and a worker that starts later resumes the image. */
const graceSeconds = 2;
/** Added to the grace, for a renderer in the middle of a step. */
const endMs = 40_000;

/** @throws UserError if the Temporal server cannot be started, or would lack the namespace */
export async function startLocalFleet(options: FleetOptions): Promise<LocalFleet> {
  if (options.address === undefined) checkNamespace(temporalTarget({ ...options, address: loopback }).namespace);
  const logFolder = join(options.stateFolder, 'logs');
  if (privateFolder(options.stateFolder)) options.tell(`${options.stateFolder}: only you can read it from now on`);
  mkdirSync(logFolder, { recursive: true, mode: 0o700 });
  closeToOthers(logFolder);
  const known = rememberedServer(options.stateFolder);
  const before = known && portsOf(known);
  const onFile = { dbFile: serverFile(options.stateFolder), ports: 'usual', before } as const;
  const server = options.address === undefined ? await keepServer(onFile, options.tell) : null;
  if (server !== null) rememberServer(options.stateFolder, server);
  const address = server?.address ?? options.address!;
  const allow = [pathToFileURL(resolve(options.stateFolder)).href, ...(options.allow ?? [])];
  const { namespace } = temporalTarget({ ...options, address });
  const dropNote = noteFleet(options.stateFolder, { address, namespace, namespaceId: server?.namespaceId, allow });
  const workers = startWorkers({ ...options, allow }, address, server, logFolder);
  return {
    address,
    uiUrl: server?.uiUrl ?? null,
    sharedWith: server?.joined ?? null,
    logFolder,
    ready: Promise.all(workers.map(({ ready }) => ready)),
    gaveUp: Promise.race([...workers, ...(server === null ? [] : [server])].map(({ gaveUp }) => gaveUp)),
    async stop() {
      dropNote();
      await Promise.all(workers.map((worker) => worker.stop()));
      await server?.stop();
    },
  };
}

/**
 * Workers would take the namespace from the command line, the environment or Temporal's configuration, and wait in
 * vain.
 */
function checkNamespace(namespace: string): void {
  if (namespace === 'default') return;
  throw new UserError(
    `namespace ${JSON.stringify(namespace)}: expected "default", the only namespace of the server that this command starts; remove ` +
      'the setting (--namespace, TEMPORAL_NAMESPACE, temporal.toml), or set TEMPORAL_ADDRESS to a server that has this namespace',
  );
}

function startWorkers(
  options: FleetOptions,
  address: string,
  started: KeptServer | null,
  logFolder: string,
): Supervised[] {
  const { namespace, bundle, sizes, device, children, microBatch, threads, scratch, allow = [] } = options;
  const server = [
    ...['--address', address, ...(namespace === undefined ? [] : ['--namespace', namespace])],
    ...(started === null ? [] : ['--namespace-id', started.namespaceId]),
  ];
  const allowed = allow.flatMap((place) => ['--allow', place]);
  const renderer = [
    ...['--bundle', bundle, '--device', device, '--grace', String(graceSeconds)],
    ...sizes.flatMap((size) => ['--size', size]),
    ...(children === undefined ? [] : ['--children', String(children)]),
    ...(microBatch === undefined ? [] : ['--micro-batch', String(microBatch)]),
    ...(threads === undefined ? [] : ['--threads', String(threads)]),
    ...(scratch === undefined ? [] : ['--scratch', scratch]),
  ];
  const worker = (name: string, args: string[]): Supervised =>
    supervise({
      name,
      args: ['--import', endWithStarter, command, 'worker', ...server, ...allowed, ...args],
      logFile: join(logFolder, `${name.replaceAll(' ', '-')}.log`),
      graceMs: endMs,
      isServerKept: started !== null,
    });
  return [
    worker('orchestrator', ['--orchestrator']),
    // One process for all sizes: they take turns on this machine's only device.
    worker('render worker', ['--renderer', ...renderer]),
  ];
}
