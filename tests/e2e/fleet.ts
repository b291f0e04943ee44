import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { defaultPayloadConverter } from '@temporalio/common';
import type { RenderProgress } from '../../activities/heartbeats.ts';
import { type BatchClient, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import type { Size } from '../../domain/size.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { type BundleDescription, bundleRef, openBundle } from '../../models/pixart/index.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { WorkerProcess } from './worker-process.ts';

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

/** A Temporal server on its file, an orchestrator and a render worker, each a process that a test may kill. */
export type Fleet = {
  server: TemporalServer;
  /** The workers' bundle, a copy that a test may damage. */
  bundleFolder: string;
  client: BatchClient;
  store: ObjectStore;
  /** Where its renderers keep checkpoints, apart from the store. */
  scratch: ObjectStore;
  orchestrator: WorkerProcess;
  renderer: WorkerProcess;
  startOrchestrator(): Promise<void>;
  /** `grace`: seconds for the image in hand when it is told to stop. */
  startRenderer(grace?: number): Promise<void>;
  /** Starts the server again on the same file and port, after it was killed. */
  restartServer(): Promise<void>;
  /** Submits a catalog of pictures that are not in the store yet, one for each number of steps; returns the batch's id. */
  submit(steps: number[], size?: Size, store?: string): Promise<string>;
  stop(): Promise<void>;
};

/** @param renders what the first renderer is started with besides */
export async function startFleet(renders: string[] = []): Promise<Fleet> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-fleet-'));
  const dbFile = path.join(folder, 'temporal.db');
  const server = await startTemporalServer({ dbFile, ui: false });
  const bundleFolder = await bundleOfThreeSizes(folder);
  const bundle = bundleRef(await openBundle(bundleFolder));
  const newOrchestrator = () => new WorkerProcess(['--orchestrator', '--address', server.address]);
  // Time enough for any image here on any machine, however much else it has to do.
  const newRenderer = (grace = 600, more: string[] = []) =>
    new WorkerProcess([
      ...['--renderer', '--address', server.address, '--bundle', bundleFolder],
      // A checkpoint after every step: its images are over long before the first one would be due.
      ...['--threads', '1', '--grace', String(grace), '--checkpoint', '0', '--scratch', path.join(folder, 'scratch')],
      ...more,
    ]);
  const storeAt = (name: string) => openStore(pathToFileURL(path.join(folder, name)).href);
  let pictures = 0;
  const fleet: Fleet = {
    server,
    bundleFolder,
    client: await connect(temporalTarget({ address: server.address })),
    store: await storeAt('out'),
    scratch: await storeAt('scratch'),
    orchestrator: newOrchestrator(),
    renderer: newRenderer(undefined, renders),

    async startOrchestrator() {
      fleet.orchestrator = newOrchestrator();
      await fleet.orchestrator.said('orchestrator ready');
    },

    async startRenderer(grace) {
      fleet.renderer = newRenderer(grace);
      await fleet.renderer.said('render worker ready');
    },

    async restartServer() {
      const port = Number(server.address.split(':').at(-1));
      fleet.server = await startTemporalServer({ dbFile, port, ui: false });
    },

    async submit(steps, size = '256', store = fleet.store.url) {
      const rows = steps.map((count) => `fox number ${pictures++},${count},${size}`);
      const catalog = path.join(folder, 'catalog.csv');
      await writeFile(catalog, ['prompt,steps,size', ...rows].join('\n'));
      const batch = `batch-${pictures}`;
      await submitBatch(fleet.client, { catalog, store, bundle, batch });
      return batch;
    },

    async stop() {
      await fleet.client.close();
      await Promise.all([fleet.renderer.kill('SIGKILL'), fleet.orchestrator.kill('SIGKILL')]);
      await fleet.server.stop();
      await rm(folder, { recursive: true });
    },
  };
  await fleet.orchestrator.said('orchestrator ready');
  await fleet.renderer.said('render worker ready');
  return fleet;
}

/** The tiny bundle, serving more sizes: its graphs take any. An image of 512 takes some seconds, one of 1024 a minute. */
export async function bundleOfThreeSizes(folder: string): Promise<string> {
  const copy = path.join(folder, 'bundle');
  await cp(TINY, copy, { recursive: true });
  const file = path.join(copy, 'bundle.json');
  const description = JSON.parse(await readFile(file, 'utf8')) as BundleDescription;
  description.sizes['512'] = { sampleSize: 64, interpolationScale: 1 };
  description.sizes['1024'] = { sampleSize: 128, interpolationScale: 2 };
  await writeFile(file, JSON.stringify(description));
  return copy;
}

/**
 * Waits until the server knows, from a heartbeat, that one of the batch's images is in the middle of its steps, for the nth time.
 *
 * @throws Error where the images are over before: then the test has to ask for ones that take longer
 */
export async function untilComputing(client: BatchClient, batch: string, computations = 1): Promise<void> {
  const shard = client.temporal.workflow.getHandle(`${batchWorkflowId(batch)}/1-0`);
  for (;;) {
    const found = await shard.describe().catch(() => null);
    if (found !== null && found.status.name !== 'RUNNING')
      throw new Error(`${batch}: over before a heartbeat was seen`);
    const images = (found?.raw.pendingActivities ?? []).filter(
      ({ activityType }) => activityType?.name === 'renderImage',
    );
    const beats = images.flatMap(({ heartbeatDetails }) => heartbeatDetails?.payloads ?? []);
    const progress = beats.map((payload) => defaultPayloadConverter.fromPayload<RenderProgress>(payload));
    const isInTheMiddle = ({ step, steps }: RenderProgress) => step > 0 && step < steps - 2;
    if (progress.some((image) => image.computations === computations && isInTheMiddle(image))) return;
    await sleep(50);
  }
}
