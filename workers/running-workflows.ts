import type { NativeConnection } from '@temporalio/worker';
import type { Workflows } from '../workflows/contract/workflows.ts';

type Found = Awaited<ReturnType<NativeConnection['workflowService']['listWorkflowExecutions']>>['executions'];

/**
 * The workflows of a type that run, as the server's listing has them and nothing of them decoded, a page at a time.
 *
 * @param service of a connection, or of its client
 * @param pageSize default: the server's
 */
export async function* runningWorkflows(
  service: NativeConnection['workflowService'],
  namespace: string,
  type: keyof Workflows,
  pageSize?: number,
): AsyncGenerator<Found> {
  const query = `WorkflowType = '${type}' AND ExecutionStatus = 'Running'`;
  let nextPageToken: Uint8Array | null | undefined;
  do {
    const request = {
      namespace,
      query,
      nextPageToken: nextPageToken ?? null,
      ...(pageSize !== undefined && { pageSize }),
    };
    const page = await service.listWorkflowExecutions(request);
    yield page.executions;
    ({ nextPageToken } = page);
  } while (nextPageToken?.length);
}
