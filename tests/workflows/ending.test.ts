import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { batchEnd, batchProgress, cancelBatch, describeBatch, listBatches, retrying } from '../../client/index.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE } from '../../workflows/contract/queues.ts';
import { Outage } from './outage.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

const outage = new Outage();

let site: Site;

beforeAll(async () => {
  site = await startSite({ open: outage.open, stepMs: ({ prompt }) => (prompt.includes('slow') ? 60_000 : 0) });
});

afterAll(() => site.stop());

const soon = { timeout: 20_000, interval: 50 };

it.concurrent('experiment', async () => {
  const batch = 'finishing';
  outage.begin(`batches/${batch}/manifest`, 'fails');
  await site.submit(batch, ['a fox,256', 'an owl,512']);
  await expect.poll(() => batchProgress(site.client, batch), soon).toMatchObject({ state: 'finishing' });
  const handle = site.client.temporal.workflow.getHandle(batchWorkflowId(batch));
  await expect.poll(() => retrying(site.client, batch), soon).toMatchObject([{ attempts: 2 }]);
  console.log(JSON.stringify((await handle.describe()).raw.pendingActivities, null, 1));
  const t = Date.now();
  await cancelBatch(site.client, batch);
  await cancelBatch(site.client, batch);
  console.log(JSON.stringify((await handle.describe()).raw.workflowExtendedInfo));
  console.log(await batchEnd(site.client, batch), Date.now() - t);
  console.log(await batchProgress(site.client, batch));
  console.log(await describeBatch(site.client, batch));
});
