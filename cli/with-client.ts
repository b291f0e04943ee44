import { type BatchClient, type ControlChange, connect, controlBatch, serverTrouble } from '../client/index.ts';
import { UserError } from '../domain/user-error.ts';
import type { RememberedServer } from '../infra/dev/server-memory.ts';
import { namespaceIdAt } from '../infra/dev/temporal-answer.ts';
import { note, printJson, printLine } from './display/output.ts';
import { ServerUnusable } from './exit-codes.ts';
import { type JsonOptions, type ServerOptions, stateFolder } from './options/common-options.ts';
import { chooseServer } from './server-choice.ts';

/**
 * Connects and calls. The connection stays open until the process ends: a call that was given up may still be repeated,
 * and on a closed connection that is an error outside of everybody's reach.
 *
 * @throws ServerUnusable where there is no server that could run batches
 * @throws ServerUnreachable where it does not do what it is asked to
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
 * The server, where there is one; `null` where nobody named one and none answers at the usual place.
 *
 * @throws ServerUnusable where the one that was named cannot be used
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
  if (choice.from === 'the state folder') await checkRuns(choice.server);
  const client = await connect(choice.target, { warn: note }).catch((error: unknown) => {
    throw error instanceof UserError ? new ServerUnusable(error.message) : error;
  });
  if (choice.from === 'nowhere') {
    note(
      `no "dev" has run here (${stateFolder()}); asking the server at ${client.address}. --address names another one`,
    );
  }
  return client;
}

/** At its address may be somebody else's server by now. */
async function checkRuns({ address, namespaceId }: RememberedServer): Promise<void> {
  if ((await namespaceIdAt(address)) === namespaceId) return;
  throw new ServerUnusable(
    `the "dev" of this folder (${stateFolder()}), whose server was at ${address}, does not run. Start it with "npx pixart-batch dev", or ` +
      'name another server with --address',
  );
}

/** Changes how a batch is run, and says so. */
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
