import type { NativeConnection } from '@temporalio/worker';
import type { TemporalTarget } from '../connection/temporal-target.ts';
import { closeConnection, connectWorker } from '../connection/worker-connection.ts';
import { UserError } from '../domain/user-error.ts';
import { KeyMissing, type Keyring } from '../encryption/keyring.ts';
import { keyIdOf } from '../encryption/payload-codec.ts';
import { batchOf } from '../workflows/contract/queues.ts';

const RUNNING = `WorkflowType = 'renderBatch' AND ExecutionStatus = 'Running'`;

/**
 * Looks whether a worker has the keys of all batches that run: a worker that lacks one would take their images and could not read what they
 * are.
 *
 * @throws UserError that names the key, and a batch that needs it
 * @throws ServerUnreachable
 */
export async function checkKeys(target: TemporalTarget, keyring: Keyring | null): Promise<void> {
  const connection = await connectWorker(target);
  try {
    for await (const { batch, keyId } of keysNeeded(connection, target.namespace)) checkKey(keyring, keyId, batch);
  } finally {
    await closeConnection(connection);
  }
}

function checkKey(keyring: Keyring | null, keyId: string, batch: string): void {
  try {
    if (keyring === null) throw new KeyMissing(keyId);
    keyring.byId(keyId);
  } catch (error) {
    if (!(error instanceof KeyMissing)) throw error;
    throw new UserError(
      `batch ${batch}, which runs: ${error.message}. A batch whose key is gone for good is ended with ` +
        `"temporal workflow terminate --workflow-id batch/${batch}"`,
    );
  }
}

/** What a batch tells listings is encrypted with the keys of those that started it and run it. */
async function* keysNeeded(
  connection: NativeConnection,
  namespace: string,
): AsyncGenerator<{ batch: string; keyId: string }> {
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const request = { namespace, query: RUNNING, nextPageToken: nextPageToken ?? null };
    const page = await connection.workflowService.listWorkflowExecutions(request);
    for (const { execution, memo } of page.executions) {
      const ids = new Set(Object.values(memo?.fields ?? {}).map(keyIdOf));
      for (const keyId of ids) if (keyId !== null) yield { batch: batchOf(execution?.workflowId ?? ''), keyId };
    }
    ({ nextPageToken } = page);
  } while (nextPageToken?.length);
}
