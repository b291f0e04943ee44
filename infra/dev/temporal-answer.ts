import { Connection } from '@temporalio/client';

/** `true` where a Temporal server answers at the address within the time. */
export const answers = async (address: string, timeoutMs?: number): Promise<boolean> =>
  (await namespaceIdAt(address, timeoutMs)) !== null;

/**
 * What tells a server on one file from all others: the id of its namespace. `null` where none answers within the time.
 *
 * With servers 1.29 and 1.32 it stays when a server is started again on the same file, and is another one for every other file and
 * whenever a server runs in memory.
 */
export async function namespaceIdAt(address: string, timeoutMs = 2_000): Promise<string | null> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: timeoutMs });
    try {
      const { namespaceInfo } = await connection.withDeadline(Date.now() + timeoutMs, () =>
        connection.workflowService.describeNamespace({ namespace: 'default' }),
      );
      return namespaceInfo?.id ?? null;
    } finally {
      await connection.close();
    }
  } catch {
    return null;
  }
}
