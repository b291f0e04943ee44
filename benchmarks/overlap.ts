/**
 * Whether the device waits for anything: one worker makes a batch into a folder store with a network's latency added, and a timeline shows
 * its stages beside each other. With `--simulate`, the device takes time instead of computing, as a GPU would beside idle processors, and it is
 * known exactly when it is busy. `npx tsx benchmarks/overlap.ts [--images 60] [--micro-batch 4] [--latency 50] [--size 256] [--steps 4]
 * [--device cpu | --simulate <ms of a step>,<ms of each further image in it>,<ms of a decode>] [--bundle pixart-icons-4-steps]
 * [--json]`
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { NativeConnection, Worker } from '@temporalio/worker';
import { pino } from 'pino';
import { createRenderActivities, HeldPictures } from '../activities/index.ts';
import { StageTimer } from '../activities/stage-timer.ts';
import { batchEnd, connect, submitBatch, temporalTarget } from '../client/index.ts';
import { sizeSchema } from '../domain/size.ts';
import type { Stage } from '../domain/timings.ts';
import { PLAIN_OBJECTS } from '../encryption/object-seal.ts';
import { startTemporalServer } from '../infra/dev/temporal-server.ts';
import { type Bundle, bundleFolder, bundleRef, type Device, openBundle } from '../models/pixart/index.ts';
import { imagesAtOnce, type Renderer, startRenderer, usableCores } from '../models/renderer/index.ts';
import { manifestName } from '../records/layout.ts';
import { manifestSchema } from '../records/manifest.ts';
import { type ObjectStore, type OpenStore, openStore } from '../store/index.ts';
import { allowanceOf } from '../workers/allowance.ts';
import { textsOfBundle } from '../workers/encode-worker.ts';
import { imageTuners } from '../workers/image-slots.ts';
import { createOrchestrator } from '../workers/orchestrator.ts';
import { outsideOf } from '../workers/outside.ts';
import { renderQueue } from '../workflows/contract/queues.ts';
import { type Interval, lane, lengthOf, union, within } from './overlap/intervals.ts';
import { simulatedDevice } from './overlap/simulated-device.ts';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '60' },
    'micro-batch': { type: 'string', default: '4' },
    latency: { type: 'string', default: '50' },
    size: { type: 'string', default: '256' },
    steps: { type: 'string', default: '4' },
    device: { type: 'string', default: 'cpu' },
    simulate: { type: 'string' },
    bundle: { type: 'string', default: 'pixart-icons-4-steps' },
    json: { type: 'boolean', default: false },
  },
});
const [IMAGES, MICRO_BATCH, LATENCY_MS] = [values.images, values['micro-batch'], values.latency].map(Number) as [
  number,
  number,
  number,
];
const COLUMNS = 100;
const size = sizeSchema.parse(values.size);

type Staged = Interval & { stage: Stage };

/** A store that is as far away as a bucket. */
function distant(store: ObjectStore): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (name === 'list') return member.bind(target);
      return async (...given: unknown[]) => {
        await sleep(LATENCY_MS);
        return member.apply(target, given);
      };
    },
  });
}

const openDistant: OpenStore = async (url) => distant(await openStore(url));

/** @param busy gets when a simulated device was busy */
async function rendererOf(bundle: Bundle, busy: Interval[]): Promise<Renderer> {
  const { description, folder } = bundle;
  if (values.simulate === undefined) {
    const microBatch = { images: MICRO_BATCH, description };
    const device = values.device as Device;
    // On a GPU the runtime chooses the threads.
    const threads = device === 'cpu' ? usableCores() : undefined;
    return startRenderer({ bundleFolder: folder, device, threads, microBatch });
  }
  const [stepMs, furtherMs, decodeMs] = values.simulate.split(',').map(Number) as [number, number, number];
  const times = { stepMs, furtherMs, decodeMs };
  return simulatedDevice({ bundle: bundleRef(bundle), description, microBatch: MICRO_BATCH, ...times }, busy);
}

const folder = await mkdtemp(path.join(tmpdir(), 'pixart-overlap-'));
const log = pino({ level: 'silent' });
const bundle = await openBundle(await bundleFolder(values.bundle));
const server = await startTemporalServer({ ui: false });
const client = await connect(temporalTarget({ address: server.address }));
const connection = await NativeConnection.connect({ address: server.address });
const stages: Staged[] = [];
const busy: Interval[] = [];
const renderer = await rendererOf(bundle, busy);
const encoding = { bundle: bundle.folder, device: 'cpu', graceSeconds: 0, encryptKept: false, metrics: false } as const;
const { captions, encoder } = await textsOfBundle(bundle, encoding, { log, seal: PLAIN_OBJECTS }, true);
const held = new HeldPictures();
const { renderImage } = createRenderActivities({ openStore: openDistant, renderer, captions: captions.source, held });
const atOnce = imagesAtOnce(size, { images: MICRO_BATCH, description: bundle.description });
const outside = { ...outsideOf(allowanceOf([folder])), openStore: openDistant };
const workers = [
  await createOrchestrator(connection, client.namespace, outside, null),
  await Worker.create({
    connection,
    taskQueue: renderQueue(size, bundle.digest),
    activities: {
      renderImage: (input: Parameters<typeof renderImage>[0]) =>
        (renderImage as (...given: unknown[]) => ReturnType<typeof renderImage>)(
          input,
          new StageTimer((stage, start, end) => stages.push({ stage, start, end })),
        ),
    },
    tuner: imageTuners(size, held, { children: 1, atOnce }, 1)[0]!,
    maxHeartbeatThrottleInterval: '1 second',
  }),
];
const running = workers.map((worker) => worker.run());
try {
  const store = pathToFileURL(path.join(folder, 'out')).href;
  const catalog = path.join(folder, 'catalog.csv');
  // Each its own text, so that each is encoded.
  const rows = Array.from({ length: IMAGES }, (_, i) => `a glossy apple number ${i},${size},${values.steps}`);
  await writeFile(catalog, ['prompt,size,steps', ...rows].join('\n'));
  const { batch } = await submitBatch(client, { catalog, store, bundle: bundleRef(bundle), batch: 'overlap' });
  await batchEnd(client, batch);
  const manifest = manifestSchema.parse(
    JSON.parse(Buffer.from(await (await openStore(store)).read(manifestName(batch))).toString()),
  );
  report(manifest.images.map(({ microBatch }) => microBatch ?? 1));
} finally {
  for (const worker of workers) worker.shutdown();
  await Promise.all(running);
  await Promise.all([renderer.close(), encoder?.close(), connection.close(), client.close()]);
  await server.stop();
  await rm(folder, { recursive: true });
}

function report(together: readonly number[]): void {
  const of = (...names: Stage[]): Interval[] => stages.filter(({ stage }) => names.includes(stage));
  const inHand = union(of('denoise', 'decode'));
  const window = { start: inHand[0]!.start, end: inHand.at(-1)!.end };
  const seconds = (window.end - window.start) / 1_000;
  const share = (intervals: readonly Interval[]): number =>
    lengthOf(within(union(intervals), window)) / (window.end - window.start);
  const result = {
    images: together.length,
    imagesPerSecond: together.length / seconds,
    shared: together.reduce((sum, images) => sum + images, 0) / together.length,
    hasWork: share(inHand),
    ...(busy.length > 0 && { busy: share(busy) }),
  };
  if (values.json) {
    console.log(JSON.stringify(result));
    return;
  }
  const percent = (part: number): string => `${(100 * part).toFixed(1)} %`;
  console.log(
    `${result.images} images in ${seconds.toFixed(1)} s from the first on the device to the last, ${result.imagesPerSecond.toFixed(2)} a second; ` +
      `${LATENCY_MS} ms to the store; micro-batch ${MICRO_BATCH}, on average ${result.shared.toFixed(1)} shared a call\n` +
      `the device had work in hand ${percent(result.hasWork)} of that time` +
      (result.busy === undefined ? '' : `, and was busy ${percent(result.busy)} of it`),
  );
  const lanes: [string, Interval[]][] = [
    ['text and captions', of('text_encode')],
    ['waits for the device', of('wait')],
    ['steps', of('denoise')],
    ['decode', of('decode')],
    ...(busy.length > 0 ? [['device busy', busy] satisfies [string, Interval[]]] : []),
    ['PNG', of('image_encode')],
    ['upload', of('store')],
  ];
  for (const [name, intervals] of lanes)
    console.log(`${name.padEnd(20)} │${lane(intervals, window, COLUMNS)}│ ${percent(share(intervals))}`);
}
