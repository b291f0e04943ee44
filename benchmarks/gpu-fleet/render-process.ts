/**
 * A process with some simulated GPUs, each with a render worker of its own: slots, queue, activity, line and step
 * batcher are the product's; only the arithmetic takes time instead. Argument: a `FleetPart` as JSON. Its message
 * `report` is answered with what each GPU did.
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
import { BUNDLE, type FleetPart, type GpuRecord } from './part.ts';
import { deviceTimes } from './rates.ts';

/** Decides which images share a call; none of its graphs are loaded. */
const SHAPE_OF = 'pixart-icons';

/** Of the images: large ones would measure this machine's PNG encoder, whose time is not orchestration's. */
const SIDE = 8;

async function main({ address, rate, gpus }: FleetPart): Promise<void> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const { description } = await openBundle(await bundleFolder(SHAPE_OF));
  const records = Array.from({ length: gpus }, (): GpuRecord => ({ images: [], busy: [] }));

  const gpu = async ({ images, busy }: GpuRecord): Promise<Worker> => {
    const held = new HeldPictures();
    const device = { bundle: BUNDLE, description, microBatch: rate.together, side: SIDE, ...deviceTimes(rate) };
    const { renderImage } = createRenderActivities({
      ...{ captions: simulatedCaptions, openStore, held, renderer: simulatedDevice(device, busy) },
    });
    const atOnce = imagesAtOnce(rate.size, { images: rate.together, description });
    return Worker.create({
      // A connection takes one worker for each queue, and on a fleet each GPU has its own anyway.
      connection: await NativeConnection.connect({ address }),
      taskQueue: renderQueue(rate.size, BUNDLE.digest),
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
