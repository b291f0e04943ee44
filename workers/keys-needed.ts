import type { Logger } from 'pino';
import type { ServedBy } from '../connection/worker-connection.ts';
import { UserError } from '../domain/user-error.ts';
import { KeyMissing, type Keyring } from '../encryption/keyring.ts';
import { keyIdOf } from '../encryption/payload-codec.ts';
import { SealBroken } from '../encryption/sealed.ts';
import { batchOf } from '../workflows/contract/queues.ts';
import { runningWorkflows } from './running-workflows.ts';

type Payload = Parameters<typeof keyIdOf>[0];

/** A batch's memo for listings, which is encrypted with the keys of those that started it and run it. */
type Told = { batch: string; payloads: Payload[] };

/**
 * Checks that a worker has the keys of all running batches: without one it would take images that it cannot read. A batch whose key
 * cannot be determined, because its memo is damaged, is logged as a warning and blocks no other.
 *
 * @throws UserError that names the key, and a batch that needs it
 */
export async function checkKeys(server: ServedBy, keyring: Keyring | null, log: Logger): Promise<void> {
  for await (const { batch, payloads } of batchesRunning(server)) {
    const needed = new Set(payloads.map(keyNeeded));
    const err = [...needed].find((one) => one instanceof SealBroken);
    if (err !== undefined) log.warn({ batch, err }, 'the keys that this batch needs are unknown');
    for (const key of needed) if (typeof key === 'string') checkKey(keyring, key, batch);
  }
}

/** The key's id, `null` if none is needed, or why it is unknown. */
function keyNeeded(payload: Payload): string | null | SealBroken {
  try {
    return keyIdOf(payload);
  } catch (error) {
    if (error instanceof SealBroken) return error;
    throw error;
  }
}

function checkKey(keyring: Keyring | null, keyId: string, batch: string): void {
  try {
    if (keyring === null) throw new KeyMissing(keyId);
    keyring.byId(keyId);
  } catch (error) {
    if (!(error instanceof KeyMissing)) throw error;
    throw new UserError(
      `running batch ${batch}: ${error.message}. If a batch's key is lost for good, end the batch with ` +
        `"temporal workflow terminate --workflow-id batch/${batch}"`,
    );
  }
}

async function* batchesRunning({ connection, namespace }: ServedBy): AsyncGenerator<Told> {
  for await (const batches of runningWorkflows(connection.workflowService, namespace, 'renderBatch')) {
    for (const { execution, memo } of batches) {
      yield { batch: batchOf(execution?.workflowId ?? ''), payloads: Object.values(memo?.fields ?? {}) };
    }
  }
}
