import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RenderProgress } from '../../activities/heartbeats.ts';
import { batchEnd, cancelBatch, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { manifestName } from '../../records/layout.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { openStore } from '../../store/index.ts';
import { RENDER_LOST_BESIDE_OTHERS } from '../../workflows/contract/limits.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { KeptWorker } from './kept-worker.ts';
import { BUNDLE, simulatedChildren } from './simulated-children.ts';

const KILLER = 13;
const INNOCENTS = 7;

// A lost worker is noticed after half a minute, and its images wait longer each time.
test('an image that kills its worker each time costs those beside it only time, and is known by it', {
  timeout: 900_000,
}, async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-neighbours-'));
  const server = await startTemporalServer({ ui: false });
  const computed = path.join(folder, 'computations');
  await writeFile(computed, '');
  // Slow enough for the killer's worker to have all the others in hand.
  const environment = await simulatedChildren({ computed, killer: KILLER, stepMs: 400 });
  const orchestrator = new WorkerProcess(['--orchestrator', '--address', server.address]);
  const options = [
    '--renderer',
    '--bundle',
    BUNDLE,
    '--micro-batch',
    '4',
    '--threads',
    '1',
    '--address',
    server.address,
  ];
  const renderer = new KeptWorker(() => new WorkerProcess(options, environment), 'render worker ready');
  const client = await connect(temporalTarget({ address: server.address }));
  onTestFinished(async () => {
    await client.close();
    await Promise.all([renderer.stop(), orchestrator.kill('SIGKILL')]);
    await server.stop();
    await rm(folder, { recursive: true });
  });

  const catalog = path.join(folder, 'night.csv');
  const rows = Array.from({ length: INNOCENTS }, (_, i) => `innocent-${i},fox number ${i},20,${100 + i}`);
  // Whoever computes beside it for long is lost with it.
  rows.splice(3, 0, `killer,a fox that kills,20,${KILLER}`);
  await writeFile(catalog, ['id,prompt,steps,seed', ...rows].join('\n'));
  const store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
  await submitBatch(client, { catalog, store: store.url, bundle: bundleRef(await openBundle(BUNDLE)), batch: 'night' });

  const shard = client.temporal.workflow.getHandle(`${batchWorkflowId('night')}/1-0`);
  const unfinished = async (): Promise<Partial<RenderProgress>[]> => {
    const found = await shard.describe().catch(() => null);
    const images = (found?.raw.pendingActivities ?? []).filter(
      ({ activityType }) => activityType?.name === 'renderImage',
    );
    return images.map(({ heartbeatDetails }) => {
      const [payload] = heartbeatDetails?.payloads ?? [];
      return payload ? defaultPayloadConverter.fromPayload<RenderProgress>(payload) : {};
    });
  };
  const isKnown = ({ id, attempts }: Partial<RenderProgress>): boolean =>
    id === 'killer' && attempts !== undefined && attempts.isAlone && attempts.lost >= RENDER_LOST_BESIDE_OTHERS;
  await vi.waitUntil(
    async () => {
      const images = await unfinished();
      return images.length === 1 && isKnown(images[0]!);
    },
    { timeout: 800_000, interval: 500 },
  );
  await cancelBatch(client, 'night');
  expect(await batchEnd(client, 'night')).toMatchObject({ state: 'cancelled' });
  const { totals } = manifestSchema.parse(JSON.parse(Buffer.from(await store.read(manifestName('night'))).toString()));
  expect(totals).toMatchObject({ rendered: INNOCENTS, failed: 0, cancelled: 1 });
});
