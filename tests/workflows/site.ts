import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { type CaptionSource, createRenderActivities, HeldPictures } from '../../activities/index.ts';
import { type Simulation, simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { type BatchClient, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { dataConverter } from '../../connection/data-converter.ts';
import type { BundleRef } from '../../domain/bundle-ref.ts';
import type { Summaries } from '../../domain/summaries.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { manifestName } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { type ObjectStore, type OpenStore, openStore } from '../../store/index.ts';
import { allowanceOf } from '../../workers/allowance.ts';
import { imageTuners } from '../../workers/image-slots.ts';
import { createMessengers } from '../../workers/messengers.ts';
import { createOrchestrator } from '../../workers/orchestrator.ts';
import { outsideOf } from '../../workers/outside.ts';
import type { EncodeActivities } from '../../workflows/contract/activities.ts';
import { encodeQueue, renderQueue } from '../../workflows/contract/queues.ts';
import '../quiet-runtime.ts';

export const BUNDLE: BundleRef = {
  name: 'simulated',
  digest: 'ab'.repeat(32),
  sizes: ['256', '512'],
  defaults: { steps: 2, guidance: 4 },
};

/** A real Temporal server and real workers with only the renderer simulated; the store is a folder by default. */
export type Site = {
  /** Contains the catalogs, and the store in its folder `out`. */
  folder: string;
  /** Its server's address. */
  address: string;
  client: BatchClient;
  store: ObjectStore;
  /** Starts a worker that encodes. */
  serve(encodeCaptions: EncodeActivities['encodeCaptions']): Promise<void>;
  /** Starts workers that send messages through the channels that the environment configures. */
  tell(env: NodeJS.ProcessEnv): Promise<void>;
  /** Writes a catalog of these rows (`prompt,size`) and submits it. */
  submit(batch: string, rows: string[], window?: number): Promise<string>;
  catalog(name: string, rows: string[]): Promise<string>;
  manifest(batch: string): Promise<Manifest>;
  stop(): Promise<void>;
};

export type SiteOptions = Partial<Omit<Simulation, 'side'>> & {
  /** Another site whose store and catalogs this one shares, but not its server. */
  beside?: Site;
  storeUrl?: string;
  /** What its orchestrator may open besides its folder. */
  allow?: string[];
  /** The `temporal` program to run; default: the first one found. */
  binary?: string;
  /** The server's database file; default: in memory. */
  dbFile?: string;
  /** The keys of its client and workers; default: none. */
  keyring?: Keyring | null;
  /** How workers open stores. */
  open?: OpenStore;
  /** Holds pictures that the store refuses. */
  held?: HeldPictures;
  /** Where its renderer's captions come from. */
  captions?: CaptionSource;
  /** Serves the task queue of the bundle's text encoder; default: no worker does. */
  encodeCaptions?: EncodeActivities['encodeCaptions'];
  /** How much its orchestrator puts into images' summaries. */
  summaries?: Summaries;
};

export async function startSite({
  bundle = BUNDLE,
  beside,
  storeUrl,
  binary,
  dbFile,
  keyring = null,
  open = openStore,
  allow = [],
  held = new HeldPictures(),
  captions = simulatedCaptions,
  encodeCaptions,
  summaries,
  ...simulation
}: SiteOptions = {}): Promise<Site> {
  const folder = beside?.folder ?? (await mkdtemp(path.join(tmpdir(), 'pixart-site-')));
  const server = await startTemporalServer({
    ui: false,
    ...(binary !== undefined && { binary }),
    ...(dbFile !== undefined && { dbFile }),
  });
  const client = await connect(temporalTarget({ address: server.address }), { keyring });
  const connection = await NativeConnection.connect({ address: server.address });
  const store = await openStore(storeUrl ?? pathToFileURL(path.join(folder, 'out')).href);
  const renderer = simulatedRenderer({ ...simulation, bundle });
  const activities = createRenderActivities({ captions, openStore: open, renderer, held });
  const outside = { ...outsideOf(allowanceOf([folder, ...allow])), openStore: open };
  const workers = await Promise.all([
    createOrchestrator(connection, client.namespace, outside, keyring, { summaries }),
    ...bundle.sizes.map((size) =>
      Worker.create({
        connection,
        dataConverter: dataConverter(keyring),
        taskQueue: renderQueue(size, bundle.digest),
        activities,
        tuner: imageTuners(size, held, { children: renderer.children, atOnce: renderer.microBatch }, 1)[0]!,
        maxHeartbeatThrottleInterval: '1 second',
      }),
    ),
  ]);
  const running = workers.map((worker) => worker.run());
  const serve = async (encodeCaptions: EncodeActivities['encodeCaptions']): Promise<void> => {
    const worker = await Worker.create({
      connection,
      dataConverter: dataConverter(keyring),
      taskQueue: encodeQueue(bundle.encoder!),
      activities: { encodeCaptions },
      maxConcurrentActivityTaskExecutions: 1,
    });
    workers.push(worker);
    running.push(worker.run());
  };
  if (encodeCaptions !== undefined) await serve(encodeCaptions);
  const tell = async (env: NodeJS.ProcessEnv): Promise<void> => {
    const messengers = await createMessengers(connection, client.namespace, outside, keyring, env);
    workers.push(...messengers);
    running.push(...messengers.map((worker) => worker.run()));
  };
  const site: Site = {
    folder,
    address: server.address,
    client,
    store,
    serve,
    tell,
    async catalog(name, rows) {
      const file = path.join(folder, name);
      await writeFile(file, ['prompt,size', ...rows, ''].join('\n'));
      return file;
    },
    async submit(batch, rows, window = 4) {
      const catalog = await site.catalog(`${batch}.csv`, rows);
      return (await submitBatch(client, { catalog, store: store.url, bundle, batch, window })).batch;
    },
    async manifest(batch) {
      const bytes = await store.read(manifestName(batch));
      return manifestSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')));
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await connection.close();
      await client.close();
      await server.stop();
      if (beside === undefined) await rm(folder, { recursive: true });
    },
  };
  return site;
}
