import { type FSWatcher, watch } from 'node:fs';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { inParallel } from '../../cleaning/in-parallel.ts';
import { type BatchClient, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { KeptWorker } from '../chaos/kept-worker.ts';
import { BUNDLE, simulatedChildren } from '../chaos/simulated-children.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { startBucketConditions } from '../store/bucket-conditions.ts';
import { DAY_MS, names } from './sample-batch.ts';

/** A store of either kind: what a process needs to open it, and how its objects are watched. */
type CleanedStore = {
  store: ObjectStore;
  environment: NodeJS.ProcessEnv;
  /** The same store without its proxy, where ten thousand objects are created sooner. */
  direct: ObjectStore;
  /** Makes everything that is there a hundred days older. */
  age(): Promise<void>;
  /** Reports each object removed from `objects/` from now on, immediately; in a folder, also each new one. */
  watchRemovals(onRemoved: (name: string) => void): void;
  stop(): Promise<void>;
};

/** A server, workers that make placeholder pictures, and a store, each in its own process. */
export type CleanedSite = Omit<CleanedStore, 'stop'> & {
  address: string;
  client: BatchClient;
  submit(batch: string, prompts: readonly string[]): Promise<void>;
  stop(): Promise<void>;
};

const AGE_MS = 100 * DAY_MS;
const BUCKET = 'gs://pixart-clean/images';

export async function startCleanedSite(kind: 'folder' | 'bucket'): Promise<CleanedSite> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-clean-'));
  const ends: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true })];
  const stop = async (): Promise<void> => {
    for (const end of ends.reverse()) await end();
  };
  try {
    const cleaned = await (kind === 'folder'
      ? folderStore(path.join(folder, 'out'))
      : bucketStore(path.join(folder, 'bucket')));
    ends.push(cleaned.stop);
    const server = await startTemporalServer({ dbFile: path.join(folder, 'temporal.db'), ui: false });
    ends.push(() => server.stop());
    for (const worker of await startWorkers(server.address, folder, cleaned.environment)) {
      ends.push(() => worker.stop());
      await until(async () => worker.works);
    }
    const client = await connect(temporalTarget({ address: server.address }));
    ends.push(() => client.close());
    const bundle = bundleRef(await openBundle(BUNDLE));
    const submit = async (batch: string, prompts: readonly string[]): Promise<void> => {
      const catalog = path.join(folder, `${batch}.csv`);
      await writeFile(catalog, ['prompt,steps', ...prompts.map((prompt) => `${prompt},4`)].join('\n'));
      await submitBatch(client, { batch, catalog, store: cleaned.store.url, bundle });
    };
    return { ...cleaned, address: server.address, client, submit, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function folderStore(root: string): Promise<CleanedStore> {
  const store = await openStore(pathToFileURL(root).href);
  let watcher: FSWatcher | undefined;
  return {
    ...{ store, direct: store, environment: {} },
    async age() {
      const then = (Date.now() - AGE_MS) / 1_000;
      await inParallel(await names(store), (name) => utimes(fileURLToPath(`${store.url}/${name}`), then, then));
    },
    watchRemovals(onRemoved) {
      watcher = watch(path.join(root, 'objects'), (event, name) => event === 'rename' && onRemoved(`objects/${name}`));
    },
    stop: async () => watcher?.close(),
  };
}

async function bucketStore(folder: string): Promise<CleanedStore> {
  let onRemoved: (name: string) => void = () => {};
  const emulator = await startBucketEmulator({ folder });
  await emulator.createBucket('pixart-clean');
  process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
  // A store is opened once per spelling of its URL.
  const direct = await openStore(`${BUCKET}/`);
  const conditions = await startBucketConditions(emulator.endpoint, (name) => {
    if (name.startsWith('images/objects/')) onRemoved(name.slice('images/'.length));
  });
  const environment = { STORAGE_EMULATOR_HOST: conditions.endpoint };
  Object.assign(process.env, environment);
  return {
    ...{ store: await openStore(BUCKET), direct, environment },
    age: async () => conditions.age(AGE_MS),
    watchRemovals(listener) {
      onRemoved = listener;
    },
    async stop() {
      await conditions.stop();
      await emulator.stop();
    },
  };
}

async function startWorkers(address: string, folder: string, environment: NodeJS.ProcessEnv): Promise<KeptWorker[]> {
  const computed = path.join(folder, 'computations');
  await writeFile(computed, '');
  const children = await simulatedChildren({ computed, stepMs: 10 });
  const renderer = ['--renderer', '--address', address, '--bundle', BUNDLE];
  const start = (options: string[], more = {}) => new WorkerProcess(options, { ...environment, ...more });
  return [
    new KeptWorker(() => start(['--orchestrator', '--address', address]), 'orchestrator ready'),
    new KeptWorker(() => start(renderer, children), 'render worker ready'),
  ];
}

export async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await sleep(100);
}
