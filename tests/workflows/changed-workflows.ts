/** What must not happen to a workflow with running histories: other commands, in another order. */
import { proxyActivities, setWorkflowOptions } from '@temporalio/workflow';
import type { OrchestratorActivities } from '../../workflows/contract/activities.ts';
import { ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import type { ShardInput } from '../../workflows/contract/workflows.ts';

const { readShard, writeReceipts } = proxyActivities<OrchestratorActivities>({
  taskQueue: ORCHESTRATOR_QUEUE,
  startToCloseTimeout: '1 minute',
});

export async function renderShard({ store, batch, round, shard }: ShardInput): Promise<void> {
  await writeReceipts({ store, batch, round, shard: shard.shard, outcomes: [] });
  await readShard({ store, shard: shard.name });
}

setWorkflowOptions({ failureExceptionTypes: [Error] }, renderShard);
