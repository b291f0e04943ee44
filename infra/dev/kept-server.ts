import { ServerUnreachable, type UserError } from '../../domain/user-error.ts';
import { portsOf } from './server-memory.ts';
import type { TemporalServerOptions } from './temporal-process.ts';
import { startTemporalServer, type TemporalServer } from './temporal-server.ts';

/** The Temporal server on a file, there for as long as this process wants it, whoever runs it. */
export type KeptServer = {
  address: string;
  /** Address of the web page, `null` without a UI. */
  uiUrl: string | null;
  /** Tells this server from any other one that may answer at its address later. */
  namespaceId: string;
  /** The other process that ran the server when this one came; `null` where there was none. */
  joined: number | null;
  /** Resolves when the server has gone and cannot be had again. */
  gaveUp: Promise<UserError>;
  stop(): Promise<void>;
};

type OnFile = TemporalServerOptions & { dbFile: string };

/** A server that ends by itself this often in a row will do so again. */
const mostRestarts = 5;
/** One that has run for this long has not failed at its start. */
const settledMs = 60_000;

/**
 * Starts the server or joins the one that runs. When that goes, or the process that was joined, it is had again at the same address: from this process,
 * or from another one that was quicker.
 *
 * @param tell told of that at once
 * @throws UserError as `startTemporalServer`
 */
export async function keepServer(options: OnFile, tell: (line: string) => void): Promise<KeptServer> {
  let stopping = false;
  const first = await startTemporalServer(options);
  const { address, uiUrl, namespaceId } = first;
  let latest = Promise.resolve(first);

  async function again(cause: string): Promise<TemporalServer> {
    tell(`${cause}; getting it back …`);
    // Clients and workers know the address.
    latest = startTemporalServer({ dbFile: options.dbFile, ui: uiUrl !== null, ...portsOf(first) });
    const server = await latest;
    if (server.address === address && server.namespaceId === namespaceId) {
      tell(newsOf(server));
      return server;
    }
    await server.stop();
    const found = server.address === address ? 'another one there' : `it at ${server.address}`;
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
  if (role === 'joined') return `process ${owner} runs the Temporal server at ${address} now`;
  const had = role === 'takenOver' ? 'took over' : 'started';
  return `this process ${had} the Temporal server at ${address}; Ctrl-C ends it too from now on`;
}

const hasGone = (cause: string): UserError =>
  new ServerUnreachable(`the Temporal server has gone and cannot be had again: ${cause}`);
