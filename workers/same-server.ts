import { setTimeout as sleep } from 'node:timers/promises';
import { GRPC } from '../connection/grpc.ts';
import type { ServedBy } from '../connection/worker-connection.ts';
import { ServerUnreachable } from '../domain/user-error.ts';

const INTERVAL_MS = 5_000;
const ANSWER_MS = 5_000;

export type ServerWatch = {
  /** Fails when another server answers at the address; otherwise it never settles. */
  another: Promise<never>;
  stop(): void;
};

type Watching = {
  /** The id that the namespace must have; otherwise the one that it has now. */
  namespaceId: string | undefined;
  /** Called when the server stops answering, and when it answers again. */
  tell: (news: 'away' | 'back') => void;
};

/**
 * Watches that the server at an address stays the same: another one may be started on the same port, and workers would
 * silently take up its batches. A server is recognised by the id of the namespace, which it keeps in its database.
 *
 * @throws ServerUnreachable if a different server answers
 */
export async function watchServer(server: ServedBy, { namespaceId, tell }: Watching): Promise<ServerWatch> {
  let expected = namespaceId;
  let wasAway = false;
  let stopping = false;

  async function check(): Promise<void> {
    const { id, isAway } = await ask(server);
    if (stopping) return;
    if (isAway !== wasAway) tell(isAway ? 'away' : 'back');
    wasAway = isAway;
    if (id === null) return;
    expected ??= id;
    if (id !== expected) throw anotherServer(server, expected, id);
  }

  async function keepChecking(): Promise<never> {
    for (;;) {
      await sleep(INTERVAL_MS);
      if (stopping) return new Promise(() => {});
      await check();
    }
  }

  await check();
  return {
    another: keepChecking(),
    stop: () => {
      stopping = true;
    },
  };
}

/** What a server reports about its namespace; the id is `null` if it does not. */
async function ask({ connection, namespace }: ServedBy): Promise<{ id: string | null; isAway: boolean }> {
  try {
    const { namespaceInfo } = await connection.withDeadline(Date.now() + ANSWER_MS, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return { id: namespaceInfo?.id || null, isAway: false };
  } catch (error) {
    return { id: null, isAway: AWAY.includes((error as { code?: number }).code ?? 0) };
  }
}

/** Other errors are answers too, such as a denied permission. */
const AWAY = [GRPC.DEADLINE_EXCEEDED, GRPC.UNAVAILABLE];

const anotherServer = ({ address, namespace }: ServedBy, expected: string, found: string): ServerUnreachable =>
  new ServerUnreachable(
    `${address}: expected the Temporal server that this worker was started for (namespace ${namespace} with id ${expected}), found ` +
      `another server (${found}). Restart the worker if it should serve that one`,
  );
