import { Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { UserError } from '../../domain/user-error.ts';

/** A month of nights to look back on. */
const HISTORY_DAYS = 30;

const HISTORY_MS = HISTORY_DAYS * 86_400_000;

/**
 * Sets the server's retention to a month, if it is shorter: closed workflows stay for that long. `start-dev` itself
 * keeps them for a day, has no option for it, and leaves the value in an existing file alone (seen with servers 1.29
 * and 1.32). Workflows that have already closed keep the retention of that time (1.32).
 *
 * @throws UserError if the server refuses
 */
export async function keepHistories(address: string): Promise<void> {
  const connection = await Connection.connect({ address });
  let days: number | undefined;
  try {
    const namespace = { namespace: 'default' };
    const { config } = await connection.workflowService.describeNamespace(namespace);
    const keptMs = tsToMs(config?.workflowExecutionRetentionTtl);
    if (keptMs >= HISTORY_MS) return;
    days = keptMs / 86_400_000;
    await connection.workflowService.updateNamespace({
      ...namespace,
      config: { workflowExecutionRetentionTtl: msToTs(HISTORY_MS) },
    });
  } catch (error) {
    const found = days === undefined ? 'a server that does not say' : `${days} days, and setting it failed`;
    const said = (error as { details?: string }).details || (error as Error).message;
    throw new UserError(
      `the Temporal server at ${address}: expected it to keep histories for ${HISTORY_DAYS} days, found ${found} (${said}). ` +
        'Start it again. If that does not help, run a server of your own and name it with TEMPORAL_ADDRESS',
    );
  } finally {
    await connection.close();
  }
}
