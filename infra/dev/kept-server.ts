import { ServerUnreachable, type UserError } from '../../domain/user-error.ts';
import { portsOf } from './server-memory.ts';
import type { TemporalServerOptions } from './temporal-process.ts';
import { startTemporalServer, type TemporalServer } from './temporal-server.ts';

/** The Temporal server on a file, kept up for as long as this process wants it, whichever process runs it. */
export type KeptServer = {
  address: string;
  /** URL of the UI, `null` without one. */
  uiUrl: string | null;
  /** Distinguishes this server from any other that may answer at its address later. */
  namespaceId: string;
  /** The other process that was already running the server; `null` if there was none. */
  joined: number | null;
  /** Resolves when the server is gone and could not be restarted. */
  gaveUp: Promise<UserError>;
  stop(): Promise<void>;
};

type OnFile = TemporalServerOptions & { dbFile: string };

/** A server that exits by itself this often in a row will do so again. */
const mostRestarts = 5;
/** One that has run for this long has started successfully. */
const settledMs = 60_000;

/**
 * Starts the server or joins the running one. When that server goes away, or the process that we joined, restarts it at
 * the same address, or joins another process that was quicker.
 *
 * @param tell receives a line about each restart
 * @throws UserError as `startTemporalServer`
 */
export async function keepServer(options: OnFile, tell: (line: string) => void): Promise<KeptServer> {
  let stopping = false;
  const first = await startTemporalServer(options);
  const { address, uiUrl, namespaceId } = first;
  let latest = Promise.resolve(first);

  async function again(cause: string): Promise<TemporalServer> {
    tell(`${cause}; restarting it …`);
    // The same ports: clients and workers know the address.
    latest = startTemporalServer({ dbFile: options.dbFile, ui: uiUrl !== null, ...portsOf(first) });
    const server = await latest;
    if (server.address === address && server.namespaceId === namespaceId) {
      tell(newsOf(server));
      return server;
    }
    await server.stop();
    const found = server.address === address ? 'a different server there' : `it at ${server.address}`;
    throw new ServerUnreachable(`${options.dbFile}: expected its Temporal server at ${address} again, found ${found}`);
  }

  async function keep(): Promise<UserError> {
    let server = first;
    for (let restarts = 0; ; restarts += 1) {
      const startedAt = performance.now();
      const cause = await server.gone;
      if (stopping) return new Promise(() => {});
      if (performance.now() - startedAt > settledMs) restarts = 0;
      if (restarts === mostRestarts) return hasGone(cause);
      try {
        server = await again(cause);
      } catch (error) {
        return hasGone((error as Error).message);
      }
    }
  }

  return {
    address,
    uiUrl,
    namespaceId,
    joined: first.role === 'joined' ? first.owner : null,
    gaveUp: keep(),
    async stop() {
      stopping = true;
      const server = await latest.catch(() => null);
      await server?.stop();
    },
  };
}

function newsOf({ role, address, owner }: TemporalServer): string {
  if (role === 'joined') return `process ${owner} now runs the Temporal server at ${address}`;
  const had = role === 'takenOver' ? 'took over' : 'started';
  return `this process ${had} the Temporal server at ${address}; from now on Ctrl-C stops it too`;
}

const hasGone = (cause: string): UserError =>
  new ServerUnreachable(`the Temporal server is gone and could not be restarted: ${cause}`);
