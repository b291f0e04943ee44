import type { Logger } from 'pino';
import type { TemporalTarget } from '../connection/temporal-target.ts';
import { closeConnection, connectWorker, type ServedBy } from '../connection/worker-connection.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { checkKeys } from './keys-needed.ts';
import { type ServerWatch, watchServer } from './same-server.ts';

type Serving = {
  /** The id that the server's namespace must have; otherwise the one that it has now. */
  namespaceId: string | undefined;
  keyring: Keyring | null;
  log: Logger;
};

/**
 * Runs a process's workers, on one connection, for as long as the server stays the same and they have its batches' keys.
 *
 * @throws ServerUnreachable if no server answers, or a different one, at the start or later
 * @throws UserError if a key is missing that a running batch needs
 */
export async function serve(
  target: TemporalTarget,
  { namespaceId, keyring, log }: Serving,
  run: (server: ServedBy) => Promise<void>,
): Promise<void> {
  const { address, namespace } = target;
  const server = { address, namespace, connection: await connectWorker(target) };
  let watch: ServerWatch | undefined;
  try {
    watch = await watchServer(server, {
      namespaceId,
      tell: (news) => {
        if (news === 'away') log.warn({ address }, 'the Temporal server does not answer');
        else log.info({ address }, 'the Temporal server answers again');
      },
    });
    await checkKeys(server, keyring, log);
    await untilRefused(watch, () => run(server));
  } finally {
    watch?.stop();
    await closeConnection(server.connection);
  }
}

/** Runs to its end, which comes at once where the server is another one. @throws ServerUnreachable then */
async function untilRefused({ another }: ServerWatch, run: () => Promise<void>): Promise<void> {
  let refusal: unknown;
  another.catch((error) => {
    refusal = error;
    process.kill(process.pid, 'SIGTERM');
  });
  await run();
  if (refusal !== undefined) throw refusal;
}
