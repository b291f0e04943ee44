/**
 * What a night costs in a bucket: counts the requests of two batches to a Cloud Storage emulator, by billing class, and
 * extrapolates to 10,000 images. The fleet has an orchestrator and a render worker. Rendering is simulated: images are
 * smaller than real ones. `npx tsx benchmarks/bucket-requests.ts [--images 600]`
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { batchEnd, connect, reviewPageEnd, submitBatch, temporalTarget } from '../client/index.ts';
import { startBucketEmulator } from '../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../models/pixart/index.ts';
import { BUNDLE, simulatedChildren } from '../tests/chaos/simulated-children.ts';
import { WorkerProcess } from '../tests/e2e/worker-process.ts';

const { values } = parseArgs({ options: { images: { type: 'string', default: '600' } } });
const MANY = Number(values.images);
const FEW = 100;
const NIGHT = 10_000;
const STORE = 'gs://studio/images';

/** Dollars for a thousand, Standard storage in one region: cloud.google.com/storage/pricing-examples, read 2026-11-30. */
const PRICES = { A: 0.005, B: 0.0004, free: 0 };

type Class = keyof typeof PRICES;

let counts: Record<Class, number> = { A: 0, B: 0, free: 0 };

const folder = await mkdtemp(path.join(tmpdir(), 'pixart-requests-'));
const emulator = await startBucketEmulator();
await emulator.createBucket('studio');
const meter = await startMeter(new URL(emulator.endpoint));
process.env.STORAGE_EMULATOR_HOST = meter.endpoint;
const server = await startTemporalServer({ ui: false });
const client = await connect(temporalTarget({ address: server.address }));
const bundle = bundleRef(await openBundle(BUNDLE));
const simulated = await simulatedChildren({ computed: path.join(folder, 'computed'), stepMs: 0 });
const workers = [
  new WorkerProcess(['--orchestrator', '--address', server.address]),
  new WorkerProcess(
    ['--renderer', '--address', server.address, '--bundle', BUNDLE, '--children', '1', '--threads', '1'],
    simulated,
  ),
];
try {
  await Promise.all([workers[0]!.said('orchestrator ready'), workers[1]!.said('render worker ready')]);
  const few = await requestsOf('few', FEW);
  const many = await requestsOf('many', MANY);
  tell(few, many);
} finally {
  await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
  await client.close();
  await server.stop();
  meter.stop();
  await emulator.stop();
  await rm(folder, { recursive: true });
}

/** A proxy in front of the emulator that counts requests. */
async function startMeter(target: URL) {
  const meter = createServer(async (asked, answer) => {
    counts[classOf(asked)] += 1;
    const { method, url, headers } = asked;
    const passed = request({ host: target.hostname, port: target.port, method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode!, found.headers);
      pipeline(found, answer).catch(() => {});
    });
    await pipeline(asked, passed).catch(() => answer.destroy());
  });
  await new Promise<void>((resolve) => meter.listen(0, '127.0.0.1', resolve));
  const { port } = meter.address() as AddressInfo;
  const stop = (): void => {
    meter.close();
    meter.closeAllConnections();
  };
  return { endpoint: `http://127.0.0.1:${port}`, stop };
}

/** The billing class: writing, copying and listing cost more, deleting is free. */
function classOf({ method, url }: IncomingMessage): Class {
  if (method === 'DELETE') return 'free';
  const isList = /\/o(\?|$)/.test(url!);
  return method === 'GET' && !isList ? 'B' : 'A';
}

/** Submits a batch and waits until it is complete, including the review page. */
async function requestsOf(batch: string, images: number): Promise<typeof counts> {
  counts = { A: 0, B: 0, free: 0 };
  const catalog = path.join(folder, `${batch}.csv`);
  const rows = Array.from({ length: images }, (_, row) => `${batch} ${row},256,20`);
  await writeFile(catalog, ['prompt,size,steps', ...rows].join('\n'));
  await submitBatch(client, { catalog, store: STORE, bundle, batch });
  const end = await batchEnd(client, batch);
  if (end.state !== 'completed') throw new Error(`${batch}: ${JSON.stringify(end)}`);
  await reviewPageEnd(client, end.result);
  console.log(`${batch}: ${images} images, ${JSON.stringify(counts)}`);
  return counts;
}

function tell(few: typeof counts, many: typeof counts): void {
  let dollars = 0;
  for (const kind of Object.keys(PRICES) as Class[]) {
    const perImage = (many[kind] - few[kind]) / (MANY - FEW);
    const night = few[kind] + (NIGHT - FEW) * perImage;
    dollars += (night * PRICES[kind]) / 1_000;
    console.log(`class ${kind}: ${perImage.toFixed(2)} an image, ${Math.round(night)} in a night of ${NIGHT}`);
  }
  console.log(`$${dollars.toFixed(2)} a night of ${NIGHT} images`);
}
