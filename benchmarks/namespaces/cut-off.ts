/** Runs in the hub's namespace, started by ../namespaces.ts: `{ folder, hosts, jobs, cutSeconds }`. */
import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchEnd, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { openStore } from '../../store/index.ts';
import { checkBatch, checkStore } from '../../tests/chaos/check-store.ts';
import { BUNDLE, simulatedChildren } from '../../tests/chaos/simulated-children.ts';
import { WorkerProcess } from '../../tests/e2e/worker-process.ts';
import { HUB_ADDRESS, setCable, within } from './network.ts';

type Settings = { folder: string; hosts: string[]; jobs: number; cutSeconds: number };

const { folder, hosts, jobs, cutSeconds } = JSON.parse(process.argv[2]!) as Settings;
/** Three seconds an image: when the cable is pulled, most images have sent their first heartbeat. */
const STEPS = 120;
const IMAGE_MS = 3_000;
/** A small one, so that the lost host's images are retried while it is still cut off. */
const WINDOW = 9;
const BATCH = 'cut-off';
const BUCKET = 'pixart';

// On a signal it exits cleanly, and stops the server too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
const computed = path.join(folder, 'computations');
await writeFile(computed, '');
const emulator = await startBucketEmulator({ host: HUB_ADDRESS });
await emulator.createBucket(BUCKET);
process.env.STORAGE_EMULATOR_HOST = emulator.endpoint;
// All addresses are this namespace's own.
const server = await startTemporalServer({ host: '0.0.0.0', dbFile: path.join(folder, 'temporal.db'), ui: false });
const address = server.address.replace('0.0.0.0', HUB_ADDRESS);
const orchestrator = new WorkerProcess(['--orchestrator', '--address', address]);
const environment = await simulatedChildren({ computed });
const workers = hosts.map(
  (host) =>
    new WorkerProcess(
      ['--renderer', '--bundle', BUNDLE, '--checkpoint', '0', '--address', address],
      environment,
      within(host),
    ),
);
const [cutOff] = workers;
const client = await connect(temporalTarget({ address }));

const imagesOf = ({ lines }: WorkerProcess): number => lines.filter(({ msg }) => msg === 'image rendered').length;
const images = (): number => workers.reduce((sum, worker) => sum + imagesOf(worker), 0);

async function until(holds: () => boolean): Promise<number> {
  const began = performance.now();
  while (!holds()) await sleep(50);
  return (performance.now() - began) / 1_000;
}

/** Pulls the first host's cable in mid-batch; reports what happens to its worker. */
async function cutOffInMidBatch(): Promise<void> {
  await until(() => images() >= jobs / 6);
  // All hosts started at the same time, so this is the middle of an image.
  await sleep(IMAGE_MS / 2);
  const [own, all, lines] = [imagesOf(cutOff!), images(), cutOff!.lines.length];
  await setCable(0, 'down');
  await sleep(1_000 * cutSeconds);
  console.log(
    `cut off for ${cutSeconds} s after ${all} of ${jobs} images; in that time it finished ${imagesOf(cutOff!) - own}, all hosts ${images() - all}`,
  );
  const back = imagesOf(cutOff!);
  await setCable(0, 'up');
  const seconds = await until(() => imagesOf(cutOff!) > back);
  console.log(`reconnected: its first image after ${seconds.toFixed(1)} s`);
  const said = cutOff!.lines.slice(lines).map(({ msg }) => msg ?? '');
  for (const message of new Set(said))
    console.log(`  it logged ${said.filter((each) => each === message).length}×: ${message.slice(0, 150)}`);
}

async function run(): Promise<void> {
  await orchestrator.said('orchestrator ready');
  for (const worker of workers) await worker.said('render worker ready');
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(
    catalog,
    ['prompt,steps', ...Array.from({ length: jobs }, (_, row) => `fox ${row},${STEPS}`)].join('\n'),
  );
  const store = await openStore(`gs://${BUCKET}/images`);
  const bundle = bundleRef(await openBundle(BUNDLE));
  await submitBatch(client, { catalog, store: store.url, bundle, batch: BATCH, window: WINDOW });
  const cutting = cutOffInMidBatch();
  const end = await batchEnd(client, BATCH);
  if (end.state !== 'completed') throw new Error(`expected the batch to complete, found ${JSON.stringify(end)}`);
  await cutting;
  const { objects, extraComputations } = await checkBatch(store, BATCH);
  await checkStore(store, objects);
  const computations = (await stat(computed)).size;
  console.log(`images by host: ${workers.map(imagesOf).join(', ')}`);
  console.log(
    `${objects.length} jobs, as many receipts, copies and objects, nothing else in the store; ${computations - jobs} images computed ` +
      `twice, receipts say ${extraComputations}`,
  );
}

try {
  await run();
} catch (error) {
  console.error(error);
  process.exitCode = 1;
} finally {
  await client.close();
  await Promise.all([orchestrator, ...workers].map((worker) => worker.kill('SIGKILL')));
  await server.stop();
  await emulator.stop();
}
process.exit();
