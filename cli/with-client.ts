import { UserError } from '../catalog/user-error.ts';
import { type BatchClient, connect, temporalTarget } from '../client/index.ts';
import { ServerUnusable } from './exit-codes.ts';
import type { ServerOptions } from './options.ts';

/**
 * Connects, calls, and closes the connection whatever happens.
 *
 * @throws ServerUnusable where there is no server that could run batches
 */
export async function withClient<T>(options: ServerOptions, use: (client: BatchClient) => Promise<T>): Promise<T> {
  const client = await connectOrSayWhy(options);
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

async function connectOrSayWhy(options: ServerOptions): Promise<BatchClient> {
  const target = temporalTarget(options);
  try {
    return await connect(target);
  } catch (error) {
    throw error instanceof UserError ? new ServerUnusable(error.message) : error;
  }
}
