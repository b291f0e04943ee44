import { type BatchClient, type ControlChange, connect, controlBatch, serverTrouble } from '../client/index.ts';
import { UserError } from '../domain/user-error.ts';
import { namespaceIdAt } from '../infra/dev/temporal-answer.ts';
import { note, printJson, printLine } from './display/output.ts';
import { ServerUnusable } from './exit-codes.ts';
import { type JsonOptions, type ServerOptions, stateFolder } from './options/common-options.ts';
import { chooseServer, type ServerChoice } from './server-choice.ts';

/**
 * Connects, and calls `use`. The connection stays open until the process ends: an abandoned call may still be retried, and
 * on a closed connection that throws where nobody can catch it.
 *
 * @throws ServerUnusable if there is no server that could run batches
 * @throws ServerUnreachable if a call to it fails
 */
export async function withClient<T>(options: ServerOptions, use: (client: BatchClient) => Promise<T>): Promise<T> {
  const client = await connectOrSayWhy(options);
  try {
    return await use(client);
  } catch (error) {
    throw serverTrouble(client, error) ?? error;
  }
}

/**
 * A client if there is a server; `null` if none was named and none answers at the default address.
 *
 * @throws ServerUnusable if the named server cannot be used
 */
export async function clientIfAny(options: ServerOptions): Promise<BatchClient | null> {
  try {
    return await connectOrSayWhy(options);
  } catch (error) {
    if (options.address !== undefined || process.env.TEMPORAL_ADDRESS || !(error instanceof ServerUnusable))
      throw error;
    return null;
  }
}

async function connectOrSayWhy(options: ServerOptions): Promise<BatchClient> {
  const choice = chooseServer(options);
  if ('server' in choice) await checkRuns(choice);
  const client = await connect(choice.target, { warn: note }).catch((error: unknown) => {
    throw error instanceof UserError ? new ServerUnusable(error.message) : error;
  });
  if (choice.from === 'nowhere') {
    note(
      `no "dev" has run here (${stateFolder()}); using the server at ${client.address}. Name another with --address`,
    );
  }
  return client;
}

/**
 * Another server may be running at its address by now. A note about a running "dev" can be wrong too: after a kill, another
 * program may have its process id.
 */
async function checkRuns({ from, server }: Extract<ServerChoice, { server: unknown }>): Promise<void> {
  const { address, namespaceId } = server;
  if (namespaceId === undefined) return;
  const found = await namespaceIdAt(address);
  // A server that a "dev" is restarting does not answer yet: connecting says so.
  if (found === namespaceId || (found === null && from === 'a running dev')) return;
  const other = found === null ? '' : '; another server answers there';
  throw new ServerUnusable(
    `the "dev" of this folder (${stateFolder()}), whose server was at ${address}, is not running${other}. Start it with "npx pixart-batch dev", or ` +
      'name another server with --address',
  );
}

/** Changes how a batch runs, and prints what was done. */
export async function changeBatch(
  batch: string,
  change: ControlChange,
  options: ServerOptions & JsonOptions,
  said: string,
): Promise<void> {
  await withClient(options, (client) => controlBatch(client, batch, change));
  if (options.json) printJson({ batch, ...change });
  else printLine(`batch ${batch} ${said}`);
}
