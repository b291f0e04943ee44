import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';

/** A month of nights to look back on. */
const HISTORY_DAYS = 30;

const HISTORY_MS = HISTORY_DAYS * 86_400_000;

/**
 * Has the server at an address keep what becomes of a batch for a month after its end, where it would keep it for less. `start-dev` itself
 * keeps a day, has no option for it, and leaves what the file says (seen with servers 1.29 and 1.32). What has ended before keeps the time that
 * held then (1.32).
 */
export async function keepHistories(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const namespace = { namespace: 'default' };
    const { config } = await connection.workflowService.describeNamespace(namespace);
    if (tsToMs(config?.workflowExecutionRetentionTtl) >= HISTORY_MS) return;
    await connection.workflowService.updateNamespace({
      ...namespace,
      config: { workflowExecutionRetentionTtl: msToTs(HISTORY_MS) },
    });
  } finally {
    await connection.close();
  }
}
