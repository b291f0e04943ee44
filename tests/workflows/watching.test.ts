import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  batchEnd,
  batchProgress,
  cancelBatch,
  describeBatch,
  listBatches,
  picturesInHand,
  watchBatch,
} from '../../client/index.ts';
import { shardName } from '../../records/layout.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { runHere } from '../cli/run-here.ts';
import { Outage } from './outage.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

// A query without an answer takes ten seconds.
vi.setConfig({ testTimeout: 120_000 });

const outage = new Outage();
const soon = { timeout: 60_000, interval: 50 };
/** An hour: tests cancel such a picture. */
const STEPS = 36_000;
const bundle = { ...BUNDLE, defaults: { steps: STEPS, guidance: 4 } };

let site: Site;

beforeAll(async () => {
  site = await startSite({ bundle, open: outage.open, stepMs: ({ prompt }) => (prompt.includes('slow') ? 100 : 0) });
});

afterAll(async () => {
  outage.answer();
  await site.stop();
});

const handleOf = (batch: string) => site.client.temporal.workflow.getHandle(batchWorkflowId(batch));

it('a slow picture is shown with its id and step, in watch too', async () => {
  await site.submit('long', ['a slow fox,256']);
  const inHand = () => picturesInHand(site.client, 'long');
  await expect.poll(inHand, soon).toMatchObject([{ step: expect.any(Number), steps: STEPS }]);
  const { id, step } = (await inHand())[0]!;
  const plan = Buffer.from(await site.store.read(shardName('long', 1, 0))).toString();
  expect(plan).toContain(`"id":${JSON.stringify(id)}`);
  await expect.poll(async () => (await inHand())[0]!.step, soon).toBeGreaterThan(step);
  for await (const { inHand } of watchBatch(site.client, 'long', { everyMs: 50 })) {
    if (inHand.length > 0) {
      expect(inHand).toMatchObject([{ id, steps: STEPS }]);
      break;
    }
  }
  await cancelBatch(site.client, 'long');
  await batchEnd(site.client, 'long');
  expect(await inHand()).toEqual([]);
});

it('a cancelled batch is shown as stopping everywhere until it has ended', async () => {
  outage.begin('batches/stopping/manifest', 'hangs');
  await site.submit('stopping', ['a slow crane,256']);
  await expect.poll(() => picturesInHand(site.client, 'stopping'), soon).toHaveLength(1);
  await cancelBatch(site.client, 'stopping');
  expect((await describeBatch(site.client, 'stopping')).state).toBe('stopping');
  await expect.poll(() => batchProgress(site.client, 'stopping'), soon).toMatchObject({ state: 'stopping' });
  const listed = async () => {
    for await (const { batch, state } of listBatches(site.client)) if (batch === 'stopping') return state;
  };
  await expect.poll(listed, soon).toBe('stopping');
  const details = await handleOf('stopping').query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(details.currentDetails).toContain('**stopping**: 0 of 1 images');
  const states = new Set<string>();
  for await (const { state } of watchBatch(site.client, 'stopping', { everyMs: 50 })) states.add(state);
  expect([...states]).toEqual(['stopping', 'cancelled']);
});

it('a batch whose images were all made before its cancellation took effect says so, and watch exits as for a whole batch', async () => {
  outage.end('batches/stopping/manifest');
  outage.answer();
  outage.begin('objects/', 'hangs');
  await site.submit('late', ['a wren,256']);
  await expect.poll(() => outage.hanging, soon).toBe(1);
  // Once its store has said that there is no such image, it is rendered, and its upload hangs.
  outage.answer();
  await expect.poll(() => outage.hanging, soon).toBe(1);
  const cancelling = runHere(['cancel', 'late', '--wait', '--address', site.address]);
  await expect.poll(() => batchProgress(site.client, 'late'), soon).toMatchObject({ state: 'stopping' });
  outage.end('objects/');
  outage.answer();
  const said = 'batch late cancelled after all its images were made: 1 job, 1 rendered\n';
  expect(await cancelling).toMatchObject({ code: 0, stdout: expect.stringContaining(said) });
  expect((await site.manifest('late')).totals).toMatchObject({ jobs: 1, rendered: 1, cancelled: 0 });
  for (const verb of ['watch', 'status']) {
    const told = await runHere([verb, 'late', '--address', site.address]);
    expect(told, verb).toMatchObject({ code: 0, stdout: expect.stringContaining(said) });
  }
});

/** Starts a batch with its own worker. Returns a function that stops the worker. */
async function batchWithWorker(batch: string, rows: string[]): Promise<() => Promise<void>> {
  const catalog = `file://${await site.catalog(`${batch}.csv`, rows)}`;
  const input: BatchInput = {
    ...{ batch, round: 1, store: site.store.url, bundle, window: 4 },
    source: { kind: 'catalog', url: catalog, format: 'csv', columns: {} },
    defaults: { size: '256', format: 'png', quality: null },
  };
  const connection = await NativeConnection.connect({ address: site.address });
  const worker = await Worker.create({
    connection,
    taskQueue: batch,
    ...{ workflowBundle: await workflowBundle(Runtime.instance().logger) },
  });
  const running = worker.run();
  await site.client.temporal.workflow.start('renderBatch', { ...batchStart(input), taskQueue: batch });
  return async () => {
    worker.shutdown();
    await running;
    await connection.close();
  };
}

it('watch reports that no orchestrator answers any more, with the last known progress, and still reports the cancellation', async () => {
  const stopWorker = await batchWithWorker('silent', ['a slow hare,256', 'a lynx,256']);
  const watching = watchBatch(site.client, 'silent', { everyMs: 50 });
  const until = async (is: (progress: Awaited<ReturnType<typeof watching.next>>) => boolean) => {
    for (;;) {
      const next = await watching.next();
      if (is(next)) return next.value;
      if (next.done) throw new Error(`it has ended: ${JSON.stringify(next.value)}`);
    }
  };
  await until(({ done, value }) => !done && value.totals.rendered === 1);
  await stopWorker();
  await cancelBatch(site.client, 'silent');
  expect((await describeBatch(site.client, 'silent')).state).toBe('stopping');
  expect(await until(({ done, value }) => !done && value.isSilent === true)).toMatchObject({
    state: 'stopping',
    totals: { jobs: 2, rendered: 1 },
    inHand: [{ steps: STEPS }],
  });
  await handleOf('silent').terminate('by the test');
  await watching.return(undefined as never);
});
