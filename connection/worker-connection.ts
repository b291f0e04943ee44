import { IllegalStateError, NativeConnection } from '@temporalio/worker';
import { withoutSecrets } from '../domain/secrets.ts';
import { ServerUnreachable } from '../domain/user-error.ts';
import { keysOf, type TemporalTarget } from './temporal-target.ts';

/** A worker's connection to Temporal. @throws ServerUnreachable where no server answers or it refuses us */
export async function connectWorker({ address, options }: TemporalTarget): Promise<NativeConnection> {
  try {
    return await NativeConnection.connect({
      address,
      ...options,
    });
  } catch (error) {
    throw new ServerUnreachable(
      `no Temporal server can be used at ${address}: ${withoutSecrets(error instanceof Error ? error.message : String(error), keysOf(options))}. ` +
        'Start one with "npx pixart-batch dev", or set TEMPORAL_ADDRESS to the one you have.',
    );
  }
}

/**
 * Closes the connection, if it can be closed: a worker that was made and never run, because the next one could not be made,
 * holds it until the process ends. That must not hide why the next one could not be made.
 */
export async function closeConnection(connection: NativeConnection): Promise<void> {
  try {
    await connection.close();
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}
