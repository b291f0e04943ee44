import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createRenderActivities, HeldPictures, type KeptCaptions, type WorkerStop } from '../activities/index.ts';
import type { ServedBy } from '../connection/worker-connection.ts';
import type { PictureSigner } from '../credentials/picture-signer.ts';
import type { Size } from '../domain/size.ts';
import { thriftText } from '../domain/thrift.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { type ObjectSeal, objectSeal } from '../encryption/object-seal.ts';
import { type Bundle, type BundleDescription, bundleFolder, bundleRef, openBundle } from '../models/pixart/index.ts';
import { imagesAtOnce, type Renderer, startRenderer, withLessMemory } from '../models/renderer/index.ts';
import { deviceName } from '../monitoring/device.ts';
import { observeRenders, type RenderObservers } from '../monitoring/observe-renders.ts';
import { createRenderMetrics } from '../monitoring/render-metrics.ts';
import { observeRendererProcesses, type RendererProcesses } from '../monitoring/renderer-process.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import { type OpenStore, openStore, StoreUnavailable } from '../store/index.ts';
import { largeRenderQueue, renderQueue } from '../workflows/contract/queues.ts';
import type { Allowance } from './allowance.ts';
import { chooseMicroBatch } from './choose-micro-batch.ts';
import { type ChosenShape, chooseShape } from './choose-shape.ts';
import { discreetFailures } from './discreet-failures.ts';
import { createEncodeWorker, textsOfBundle } from './encode-worker.ts';
import { imageTuners } from './image-slots.ts';
import { type KeyUse, keyUse } from './key-use.ts';
import { checkMemory } from './memory-check.ts';
import { outsideOf } from './outside.ts';
import { type RenderConfig, servedSizes } from './render-config.ts';
import { END_SIGNALS, listenForStop, untilStopped, WITHOUT_GRACE_TIME } from './stopping.ts';

/**
 * Serves one device to the queues of one or several sizes, until the process is told to stop (SIGINT, SIGTERM): images
 * in hand are finished within the grace time or handed back to other workers. Told to drain (SIGUSR2), it finishes
 * those that have the device, however long they take. It encodes texts for others too, unless it is to render from kept
 * captions alone.
 *
 * @param ready called when it takes work
 * @throws UserError where the bundle, the device, a size, the place for checkpoints or the server cannot be used, at
 * the start or later.
 */
export async function runRenderWorker(
  { connection, namespace }: ServedBy,
  config: RenderConfig,
  allowance: Allowance,
  keyring: Keyring | null,
  log: Logger,
  ready: () => void,
): Promise<void> {
  const seal = objectSeal(keyring, config.encryptKept);
  const bundle = await openBundle(await bundleFolder(config.bundle));
  const sizes = servedSizes(config.sizes, bundleRef(bundle));
  const metrics = config.metrics ? createRenderMetrics(Runtime.instance().metricMeter, config.device, sizes) : null;
  const children = metrics && observeRendererProcesses(metrics, config.device);
  if (config.scratch !== undefined) await checkScratch(config.scratch, log);
  const signer = await openSigner(bundle, config, log);
  try {
    const { captions, encoder } = await textsOfBundle(bundle, encoding(config), { log, seal }, config.textEncoder);
    const loaded = await loadRenderer(bundle, sizes, config, log, children);
    if (loaded === null) return;
    const { renderer, shape } = loaded;
    const stopping = listenForStop(config.graceSeconds);
    try {
      const keys = keyUse(keyring);
      const observers = { log, metrics, tracer: processTracer() };
      const surroundings = {
        connection,
        namespace,
        openStore: outsideOf(allowance, config.scratch).openStore,
        renderer,
        description: bundle.description,
        deviceName: await deviceName(config.device, shape.children * (shape.threads ?? 1)),
        captions,
        seal,
        observers,
        signer,
        keys,
        stop: stopping.stop,
      };
      const workers = await Promise.all([
        ...(await createWorkers(sizes, config, surroundings)),
        ...(encoder === null ? [] : [createEncodeWorker(captions, surroundings)]),
      ]);
      const queues = workers.map(({ options }) => options.taskQueue);
      log.info(
        { bundle: renderer.bundle.name, digest: renderer.bundle.digest, device: config.device, queues },
        'render worker ready',
      );
      ready();
      await untilStopped(workers, [renderer, keys, ...(encoder === null ? [] : [encoder])], stopping);
    } finally {
      stopping.ignore();
      await encoder?.close();
      await renderer.close();
    }
  } finally {
    children?.stop();
  }
}

/** There is one encoder, which may use as many cores as all painters together: they wait for it. */
const encoding = ({ children = 1, threads, ...config }: RenderConfig) => ({
  ...config,
  threads: threads === undefined ? undefined : children * threads,
});

/** Loaded late: most workers sign nothing. @throws UserError where key or certificates cannot be used */
async function openSigner(
  { description: { name, license }, digest }: Bundle,
  { signing }: RenderConfig,
  log: Logger,
): Promise<PictureSigner | undefined> {
  if (signing === undefined) return undefined;
  const { openPictureSigner } = await import('../credentials/picture-signer.ts');
  const signer = await openPictureSigner(signing, { name, digest, license });
  log.info({ signer: signer.name }, 'signing images of batches that request it');
  return signer;
}

/** A wrong place for checkpoints is better known before the night; one that is away at the moment costs no image. */
async function checkScratch(scratch: string, log: Logger): Promise<void> {
  try {
    await openStore(scratch);
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    log.warn({ err: error }, 'no checkpoints for now');
  }
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
  for (const name of END_SIGNALS) process.on(name, abort);
  try {
    const shape = await chooseShape(config, { bundle, sizes }, log, stop.signal);
    const images = await chooseMicroBatch(config, { bundle, sizes, shape }, log, stop.signal);
    const processes = { children: shape.children, microBatch: images, hasEncoder: config.textEncoder };
    if (config.device === 'cpu') await checkMemory(bundle, sizes, processes, log);
    const renderer = await startRenderer({
      bundleFolder: bundle.folder,
      device: config.device,
      ...shape,
      microBatch: { images, description: bundle.description },
      signal: stop.signal,
      onStart: (child) => {
        log.info({ rendererPid: child.pid, loadMs: Math.round(child.loadMs) }, 'renderer ready');
        children?.started(child);
      },
      onFailedStart: (error) =>
        log.warn({ err: error }, 'a renderer process did not start; images wait for the next try'),
    });
    const saving = withLessMemory(renderer, bundle.description, (rung, { message }) =>
      log.warn({ bundle: renderer.bundle.name, reason: message }, `out of memory; continuing ${thriftText(rung)}`),
    );
    return { renderer: saving, shape };
  } catch (error) {
    if (stop.signal.aborted) return null;
    throw error;
  } finally {
    for (const name of END_SIGNALS) process.off(name, abort);
  }
}

type Surroundings = {
  connection: NativeConnection;
  namespace: string;
  openStore: OpenStore;
  renderer: Renderer;
  description: BundleDescription;
  deviceName: string;
  captions: KeptCaptions;
  signer: PictureSigner | undefined;
  keys: KeyUse;
  seal: ObjectSeal;
  stop: WorkerStop;
  observers: RenderObservers;
};

async function createWorkers(
  sizes: Size[],
  { checkpointSeconds, scratch, large }: RenderConfig,
  surroundings: Surroundings,
): Promise<Worker[]> {
  const { connection, namespace, openStore, renderer, description, captions, seal, deviceName, signer, keys } =
    surroundings;
  const { stop, observers } = surroundings;
  const held = new HeldPictures();
  for (const size of sizes) held.onChange(() => observers.metrics?.held(size, held.count(size)));
  const activities = createRenderActivities({
    openStore,
    renderer,
    captions: captions.source,
    isTruncated: (prompt) => captions.isTruncated(prompt),
    deviceName,
    checkpointSeconds,
    scratch,
    signer,
    seal,
    stop,
    held,
  });
  const digest = renderer.bundle.digest;
  const queues = sizes.flatMap((size) => {
    const names = [renderQueue(size, digest), ...(large ? [largeRenderQueue(size, digest)] : [])];
    const atOnce = imagesAtOnce(size, { images: renderer.microBatch, description });
    const tuners = imageTuners(size, held, { children: renderer.children, atOnce }, names.length);
    return names.map((taskQueue, i) => ({ size, taskQueue, tuner: tuners[i]! }));
  });
  return Promise.all(
    queues.map(({ size, taskQueue, tuner }) =>
      Worker.create({
        connection,
        namespace,
        taskQueue,
        dataConverter: keys.dataConverter,
        activities,
        interceptors: { activity: [discreetFailures, observeRenders(observers, size)] },
        tuner,
        // The SDK holds heartbeats back for 80 % of their timeout unless told otherwise, and cancellations come with their answers.
        maxHeartbeatThrottleInterval: '1 second',
        ...WITHOUT_GRACE_TIME,
      }),
    ),
  );
}
