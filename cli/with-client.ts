import { type BatchClient, connect, temporalTarget } from '../client/index.ts';
import { UserError } from '../domain/user-error.ts';
import { ServerUnusable } from './exit-codes.ts';
import type { ServerOptions } from './options.ts';

/**
 * Connects and calls. The connection stays open until the process ends: a call that was given up may still be repeated,
 * and on a closed connection that is an error outside of everybody's reach.
 *
 * @throws ServerUnusable where there is no server that could run batches
 */
export async function withClient<T>(options: ServerOptions, use: (client: BatchClient) => Promise<T>): Promise<T> {
  return use(await connectOrSayWhy(options));
}

async function connectOrSayWhy(options: ServerOptions): Promise<BatchClient> {
  const target = temporalTarget(options);
  try {
    return await connect(target);
  } catch (error) {
    throw error instanceof UserError ? new ServerUnusable(error.message) : error;
  }
}
