/**
 * A process with simulated GPUs, each with its own render worker. Slots, queue, activity, line and step batcher are the
 * product's; the device waits instead of computing. Argument: a `FleetPart` as JSON. Any message is answered with what
 * each GPU did.
 */
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { createRenderActivities, HeldPictures } from '../../activities/index.ts';
import { bundleFolder, openBundle } from '../../models/pixart/index.ts';
import { imagesAtOnce } from '../../models/renderer/index.ts';
import { openStore } from '../../store/index.ts';
import { imageTuners } from '../../workers/image-slots.ts';
import { renderQueue } from '../../workflows/contract/queues.ts';
import type { Interval } from '../overlap/intervals.ts';
import { simulatedDevice } from '../overlap/simulated-device.ts';
import { simulatedCaptions } from '../simulated-renderer.ts';
import type { GpuRecord } from './probes.ts';
import { deviceTimes } from './rates.ts';
import type { FleetPart } from './rig.ts';

/** Its description decides which images share a call. None of its graphs are loaded. */
const SHAPE_OF = 'pixart-icons';

/** The side of the images: large ones would measure the PNG encoder. */
const SIDE = 8;

async function main({ address, bundle, rate, gpus }: FleetPart): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { description } = await openBundle(await bundleFolder(SHAPE_OF));
  const records = Array.from({ length: gpus }, (): GpuRecord => ({ images: [], busy: [] }));

  const gpu = async ({ images, busy }: GpuRecord): Promise<Worker> => {
    const held = new HeldPictures();
    const device = { bundle, description, microBatch: rate.together, side: SIDE, ...deviceTimes(rate) };
    const { renderImage } = createRenderActivities({
      ...{ captions: simulatedCaptions, openStore, held, renderer: simulatedDevice(device, busy) },
    });
    const atOnce = imagesAtOnce(rate.size, { images: rate.together, description });
    return Worker.create({
      // A connection allows one worker for each queue. On a fleet each GPU has its own anyway.
      connection: await NativeConnection.connect({ address }),
      taskQueue: renderQueue(rate.size, bundle.digest),
      activities: {
        async renderImage(input: Parameters<typeof renderImage>[0]) {
          const start = performance.now();
          try {
            return await renderImage(input);
          } finally {
            images.push({ start, end: performance.now() });
          }
        },
      },
      tuner: imageTuners(rate.size, held, { children: 1, atOnce }, 1)[0]!,
      maxHeartbeatThrottleInterval: '1 second',
    });
  };
  const workers = await Promise.all(records.map(gpu));
  process.on('disconnect', () => process.exit());
  process.on('message', () =>
    process.send?.(records.map(({ images, busy }) => ({ images: since1970(images), busy: since1970(busy) }))),
  );
  process.send?.('ready');
  await Promise.all(workers.map((worker) => worker.run()));
}

const since1970 = (intervals: readonly Interval[]): Interval[] =>
  intervals.map(({ start, end }) => ({ start: start + performance.timeOrigin, end: end + performance.timeOrigin }));

await main(JSON.parse(process.argv[2]!) as FleetPart);
