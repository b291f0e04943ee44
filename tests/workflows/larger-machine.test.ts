import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { createRenderActivities } from '../../activities/index.ts';
import { simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { lackOfWorkers } from '../../cli/display/worker-watch.ts';
import { workersSeen } from '../../client/index.ts';
import { TooLittleMemory } from '../../models/renderer/index.ts';
import { openStore } from '../../store/index.ts';
import { batchWorkflowId, largeRenderQueue } from '../../workflows/contract/queues.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let site: Site;

beforeAll(async () => {
  site = await startSite({
    before: ({ size }) => {
      if (size === '512') throw new TooLittleMemory('there is not enough memory to decode the image');
    },
  });
});

afterAll(() => site.stop());

test('an image for which a worker has too little memory waits for a larger machine, which status asks for, and is rendered there', async () => {
  const batch = await site.submit('large', ['a fox,256', 'an owl,512']);
  const lack = async (): Promise<string[]> =>
    lackOfWorkers(['256', '512'], await workersSeen(site.client, batch, ['256', '512']));
  await vi.waitFor(async () => expect((await lack()).join('\n')).toMatch(/worker --renderer --large --size 512/), {
    timeout: 120_000,
    interval: 500,
  });

  const connection = await NativeConnection.connect({ address: site.client.address });
  const worker = await Worker.create({
    connection,
    taskQueue: largeRenderQueue('512', BUNDLE.digest),
    activities: createRenderActivities({
      captions: simulatedCaptions,
      openStore,
      renderer: simulatedRenderer({ bundle: BUNDLE }),
    }),
  });
  await worker.runUntil(site.client.temporal.workflow.getHandle(batchWorkflowId(batch)).result());
  await connection.close();
  expect((await site.manifest(batch)).totals).toMatchObject({ rendered: 2, failed: 0 });
});
