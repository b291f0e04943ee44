import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';

/** A month of nights to look back on. */
const HISTORY_DAYS = 30;

const HISTORY_MS = HISTORY_DAYS * 86_400_000;

/**
 * Sets the server's retention to a month, if it is shorter: closed workflows stay for that long. `start-dev` itself
 * keeps them for a day, has no option for it, and leaves the value in an existing file alone (seen with servers 1.29
 * and 1.32). Workflows that have already closed keep the retention of that time (1.32).
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
