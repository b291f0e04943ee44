import {
  type BatchClient,
  type ControlChange,
  connect,
  controlBatch,
  serverTrouble,
  temporalTarget,
} from '../client/index.ts';
import { UserError } from '../domain/user-error.ts';
import { fleetAddress } from '../infra/dev/fleet-note.ts';
import { note, printJson, printLine } from './display/output.ts';
import { ServerUnusable } from './exit-codes.ts';
import { type JsonOptions, type ServerOptions, stateFolder } from './options/common-options.ts';

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
  // A "dev" whose usual port was taken has another one; on the usual one is somebody else's server.
  const target = temporalTarget(options, process.env, fleetAddress(stateFolder()));
  try {
    return await connect(target, { warn: note });
  } catch (error) {
    throw error instanceof UserError ? new ServerUnusable(error.message) : error;
  }
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
