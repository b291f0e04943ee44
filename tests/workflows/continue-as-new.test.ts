import { afterAll, beforeAll, expect, it } from 'vitest';
import { manifestSchema } from '../../catalog/receipt.ts';
import { manifestName } from '../../store/index.ts';
import { type BatchProgress, PROGRESS_QUERY } from '../../workflows/contract.ts';
import { JOBS, type LongBatch, runLongBatch } from './long-batch.ts';

let long: LongBatch;

beforeAll(async () => {
  long = await runLongBatch();
});

afterAll(() => long.stop());

it('a batch with a long history continues as new with its window drained, and loses neither jobs nor counts', async () => {
  const { batch, workflowId, client, store } = long;
  const progress = await client.workflow.getHandle(workflowId).query<BatchProgress, []>(PROGRESS_QUERY);
  expect(progress).toMatchObject({ state: 'completed', totals: { jobs: JOBS, rendered: JOBS, failed: 0 } });
  const manifest = Buffer.from(await store.read(manifestName(batch))).toString('utf8');
  expect(manifestSchema.parse(JSON.parse(manifest)).images).toHaveLength(JOBS);

  const runs: string[] = [];
  for await (const run of client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    expect(run.memo).toMatchObject({ batch });
    runs.push(run.status.name);
  }
  expect(runs.filter((status) => status === 'CONTINUED_AS_NEW').length).toBeGreaterThan(0);
  expect(runs.filter((status) => status === 'COMPLETED')).toHaveLength(1);
});
