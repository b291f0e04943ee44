import { Connection } from '@temporalio/client';

/** `true` if a Temporal server answers at the address in time. */
export const answers = async (address: string, timeoutMs?: number): Promise<boolean> =>
  (await namespaceIdAt(address, timeoutMs)) !== null;

/**
 * The id of the server's namespace, which distinguishes a server on one file from all others. `null` if none answers in
 * time.
 *
 * With servers 1.29 and 1.32 the id survives a restart on the same file. It differs for every other file, and for every
 * start of a server in memory.
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
