import { IllegalStateError, NativeConnection } from '@temporalio/worker';
import { withoutSecrets } from '../domain/secrets.ts';
import { ServerUnreachable } from '../domain/user-error.ts';
import { keysOf, type TemporalTarget } from './temporal-target.ts';
import { notLetIn, whyUnreachable } from './unreachable.ts';

/** The server of a process's workers, and the connection that they share. */
export type ServedBy = Pick<TemporalTarget, 'address' | 'namespace'> & { connection: NativeConnection };

/** A worker's connection to Temporal. @throws ServerUnreachable if no server answers, or it denies access */
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

/** The SDK reports gRPC's UNAUTHENTICATED and PERMISSION_DENIED only as text. */
const NOT_LET_IN = /(?:valid authentication credentials|have permission to execute)[^,]*, message: \\?"([^"\\]*)/;

/**
 * Closes the connection, if possible: a worker that was created but never run, because the next one could not be created,
 * holds it until the process ends. That must not hide why the next one failed.
 */
export async function closeConnection(connection: NativeConnection): Promise<void> {
  try {
    await connection.close();
  } catch (error) {
    if (!(error instanceof IllegalStateError)) throw error;
  }
}
