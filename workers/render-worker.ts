import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import {
  type CaptionSource,
  createRenderActivities,
  encodedCaptions,
  HeldPictures,
  type WorkerStop,
} from '../activities/index.ts';
import type { TemporalTarget } from '../connection/temporal-target.ts';
import { closeConnection, connectWorker } from '../connection/worker-connection.ts';
import type { Size } from '../domain/size.ts';
import { type Bundle, bundleFolder, bundleRef, openBundle, promptReader, verifyPart } from '../models/pixart/index.ts';
import { createEncoder, type Encoder, type Renderer, startRenderer } from '../models/renderer/index.ts';
import { deviceName } from '../monitoring/device.ts';
import { observeRenders, type RenderObservers } from '../monitoring/observe-renders.ts';
import { createRenderMetrics } from '../monitoring/render-metrics.ts';
import { observeRendererProcesses, type RendererProcesses } from '../monitoring/renderer-process.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import { type OpenStore, openStore, StoreUnavailable } from '../store/index.ts';
import { renderQueue } from '../workflows/contract/queues.ts';
import type { Allowance } from './allowance.ts';
import { type ChosenShape, chooseShape } from './choose-shape.ts';
import { discreetFailures } from './discreet-failures.ts';
import { imageTuner } from './image-slots.ts';
import { outsideOf } from './outside.ts';
import { type RenderConfig, servedSizes } from './render-config.ts';

/** From the end of the grace time until images that do not stop are left to their heartbeat timeout. */
const FORCE_AFTER_SECONDS = 30;

const STOP_SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Serves one device to the queues of one or several sizes, until the process is told to stop (SIGINT, SIGTERM): images in
 * hand are finished within the grace time or handed back to other workers.
 *
 * @throws UserError where the bundle, the device, a size, the place for checkpoints or the server cannot be used, at the start or later.
 */
export async function runRenderWorker(
  config: RenderConfig,
  allowance: Allowance,
  target: TemporalTarget,
  log: Logger,
): Promise<void> {
  const bundle = await openBundle(await bundleFolder(config.bundle));
  const sizes = servedSizes(config.sizes, bundleRef(bundle));
  const metrics = config.metrics ? createRenderMetrics(Runtime.instance().metricMeter, config.device, sizes) : null;
  const children = metrics && observeRendererProcesses(metrics, config.device);
  if (config.scratch !== undefined) await checkScratch(config.scratch, log);
  const connection = await connectWorker(target);
  try {
    const { encoder, captions } = await prepareEncoder(bundle, config, log);
    const loaded = await loadRenderer(bundle, sizes, config, log, children);
    if (loaded === null) return;
    const { renderer, shape } = loaded;
    const { stop, ignore } = listenForStop(config.graceSeconds);
    try {
      const observers = { log, metrics, tracer: processTracer() };
      const workers = await createWorkers(sizes, config, {
        connection,
        namespace: target.namespace,
        openStore: outsideOf(allowance, config.scratch).openStore,
        renderer,
        deviceName: await deviceName(config.device, shape.children * (shape.threads ?? 1)),
        captions,
        observers,
        stop,
      });
      const queues = workers.map(({ options }) => options.taskQueue);
      log.info(
        { bundle: renderer.bundle.name, digest: renderer.bundle.digest, device: config.device, queues },
        'render worker ready',
      );
      await untilStopped(workers, [renderer, encoder]);
    } finally {
      ignore();
      await encoder.close();
      await renderer.close();
    }
  } finally {
    children?.stop();
    await closeConnection(connection);
  }
}

/** A wrong place for checkpoints is better known before the night; one that is away at the moment costs no image. */
async function checkScratch(scratch: string, log: Logger): Promise<void> {
  try {
    await openStore(scratch);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    log.warn({ err: error }, 'no checkpoints for the time being');
  }
}

/** The encoder is loaded when there is a text; that its files are whole is known before. @throws UserError */
async function prepareEncoder(
  bundle: Bundle,
  { device, threads }: RenderConfig,
  log: Logger,
): Promise<{ encoder: Encoder; captions: CaptionSource }> {
  await verifyPart(bundle, 'reader');
  await verifyPart(bundle, 'encoder');
  const encoder = createEncoder({
    bundleFolder: bundle.folder,
    device,
    threads,
    onStart: ({ pid, loadMs }) => log.info({ encoderPid: pid, loadMs: Math.round(loadMs) }, 'text encoder ready'),
    onIdle: () => log.info('text encoder ended: there is no text to encode'),
  });
  return { encoder, captions: encodedCaptions(await promptReader(bundle), encoder) };
}

/** Loading may take minutes, and Temporal's SDK listens to signals only later. `null` where one came meanwhile. */
async function loadRenderer(
  bundle: Bundle,
  sizes: readonly Size[],
  config: RenderConfig,
  log: Logger,
  children: RendererProcesses | null,
): Promise<{ renderer: Renderer; shape: ChosenShape } | null> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  for (const name of STOP_SIGNALS) process.on(name, abort);
  try {
    const shape = await chooseShape(config, { bundle, sizes }, log, stop.signal);
    const renderer = await startRenderer({
      bundleFolder: bundle.folder,
      device: config.device,
      ...shape,
      signal: stop.signal,
      onStart: (child) => {
        log.info({ rendererPid: child.pid, loadMs: Math.round(child.loadMs) }, 'renderer ready');
        children?.started(child);
      },
    });
    return { renderer, shape };
  } catch (error) {
    if (stop.signal.aborted) return null;
    throw error;
  } finally {
    for (const name of STOP_SIGNALS) process.off(name, abort);
  }
}

type Surroundings = {
  connection: NativeConnection;
  namespace: string;
  openStore: OpenStore;
  renderer: Renderer;
  deviceName: string;
  captions: CaptionSource;
  stop: WorkerStop;
  observers: RenderObservers;
};

async function createWorkers(
  sizes: Size[],
  { graceSeconds, checkpointSeconds, scratch }: RenderConfig,
  surroundings: Surroundings,
): Promise<Worker[]> {
  const { connection, namespace, openStore, renderer, captions, deviceName, stop, observers } = surroundings;
  const held = new HeldPictures();
  for (const size of sizes) held.onChange(() => observers.metrics?.held(size, held.count(size)));
  const activities = createRenderActivities({
    openStore,
    renderer,
    captions,
    deviceName,
    checkpointSeconds,
    scratch,
    stop,
    held,
  });
  return Promise.all(
    sizes.map((size) =>
      Worker.create({
        connection,
        namespace,
        taskQueue: renderQueue(size, renderer.bundle.digest),
        activities,
        interceptors: { activity: [discreetFailures, observeRenders(observers, size)] },
        tuner: imageTuner(size, held, renderer.children),
        // The SDK holds heartbeats back for 80 % of their timeout unless told otherwise, and cancellations come with their answers.
        maxHeartbeatThrottleInterval: '1 second',
        shutdownGraceTime: graceSeconds * 1_000,
        shutdownForceTime: (graceSeconds + FORCE_AFTER_SECONDS) * 1_000,
      }),
    ),
  );
}

/** Tells images in hand at once that the process was told to stop: the SDK tells them only when the grace time is over. */
function listenForStop(graceSeconds: number): { stop: WorkerStop; ignore: () => void } {
  const told = new AbortController();
  const abort = (): void => told.abort();
  for (const name of STOP_SIGNALS) process.on(name, abort);
  return {
    stop: { signal: told.signal, graceMs: graceSeconds * 1_000 },
    ignore: () => {
      for (const name of STOP_SIGNALS) process.off(name, abort);
    },
  };
}

/** Runs until all workers have stopped; one that fails, or networks that cannot be loaded again, stop the others. */
async function untilStopped(workers: Worker[], networks: { unusable: AbortSignal }[]): Promise<void> {
  const stopAll = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  for (const { unusable } of networks) unusable.addEventListener('abort', stopAll);
  const runs = await Promise.allSettled(workers.map((worker) => worker.run().finally(stopAll)));
  for (const run of runs) if (run.status === 'rejected') throw run.reason;
  for (const { unusable } of networks) unusable.throwIfAborted();
}
