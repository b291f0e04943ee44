import { IllegalStateError, NativeConnection } from '@temporalio/worker';
import { withoutSecrets } from '../domain/secrets.ts';
import { ServerUnreachable } from '../domain/user-error.ts';
import { keysOf, type TemporalTarget } from './temporal-target.ts';
import { notLetIn, whyUnreachable } from './unreachable.ts';

/** The server that a process's workers serve, and the one connection that they have to it. */
export type ServedBy = Pick<TemporalTarget, 'address' | 'namespace'> & { connection: NativeConnection };

/** A worker's connection to Temporal. @throws ServerUnreachable where no server answers or it refuses us */
export async function connectWorker(target: TemporalTarget): Promise<NativeConnection> {
  const { address, namespace, options } = target;
  try {
    return await NativeConnection.connect({ address, ...options });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    const [, details] = NOT_LET_IN.exec(said) ?? [];
    throw new ServerUnreachable(
      details === undefined
        ? await whyUnreachable(target, said)
        : `the Temporal server at ${address} ${notLetIn(namespace, withoutSecrets(details, keysOf(options)))}`,
    );
  }
}

/** The SDK passes gRPC's UNAUTHENTICATED and PERMISSION_DENIED on in words alone. */
const NOT_LET_IN = /(?:valid authentication credentials|have permission to execute)[^,]*, message: \\?"([^"\\]*)/;

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
