import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createEncodeActivities, KeptCaptions, type WorkerStop } from '../activities/index.ts';
import type { ServedBy } from '../connection/worker-connection.ts';
import { UserError } from '../domain/user-error.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { type ObjectSeal, objectSeal } from '../encryption/object-seal.ts';
import { type Bundle, bundleFolder, openBundle, promptReader, verifyPart } from '../models/pixart/index.ts';
import { createEncoder, type Encoder, usableCores } from '../models/renderer/index.ts';
import { observeActivities } from '../monitoring/observe-activities.ts';
import { createEncodeMetrics } from '../monitoring/render-metrics.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import type { OpenStore } from '../store/index.ts';
import { encodeQueue } from '../workflows/contract/queues.ts';
import type { Allowance } from './allowance.ts';
import { discreetFailures } from './discreet-failures.ts';
import { type KeyUse, keyUse } from './key-use.ts';
import { checkEncoderMemory } from './memory-check.ts';
import { outsideOf } from './outside.ts';
import type { RenderConfig } from './render-config.ts';
import { listenForStop, untilStopped, WITHOUT_GRACE_TIME } from './stopping.ts';

type EncodeConfig = Pick<RenderConfig, 'bundle' | 'device' | 'threads' | 'graceSeconds' | 'encryptKept' | 'metrics'>;

/**
 * Encodes texts of a bundle for workers that render from stored captions, until the process is told to stop (SIGINT, SIGTERM) or to
 * drain (SIGUSR2).
 *
 * @param ready called when it takes work
 * @throws UserError where the bundle, the device or the server cannot be used, at the start or later.
 */
export async function runEncodeWorker(
  { connection, namespace }: ServedBy,
  config: EncodeConfig,
  allowance: Allowance,
  keyring: Keyring | null,
  log: Logger,
  ready: () => void,
): Promise<void> {
  const seal = objectSeal(keyring, config.encryptKept);
  const bundle = await openBundle(await bundleFolder(config.bundle));
  const texts = await textsOfBundle(bundle, config, { log, seal });
  if (config.device === 'cpu') await checkEncoderMemory(bundle);
  const keys = keyUse(keyring);
  const stopping = listenForStop(config.graceSeconds);
  try {
    const worker = await createEncodeWorker(texts.captions, {
      connection,
      namespace,
      openStore: outsideOf(allowance).openStore,
      keys,
      stop: stopping.stop,
    });
    const { name } = bundle.description;
    log.info({ bundle: name, device: config.device, queues: [worker.options.taskQueue] }, 'encode worker ready');
    ready();
    await untilStopped([worker], [texts.encoder!, keys], stopping);
  } finally {
    stopping.ignore();
    await texts.encoder?.close();
  }
}

/** What a worker needs for a bundle's texts; without an encoder it uses captions that others stored. */
type BundleTexts = { captions: KeptCaptions; encoder: Encoder | null };

/**
 * Verifies the files that read and encode a bundle's texts. The encoder itself is loaded when there is a text.
 *
 * @throws UserError
 */
export async function textsOfBundle(
  bundle: Bundle,
  { device, threads, metrics }: EncodeConfig,
  { log, seal }: { log: Logger; seal: ObjectSeal },
  hasEncoder = true,
): Promise<BundleTexts> {
  await verifyPart(bundle, 'reader');
  const reader = await promptReader(bundle);
  if (!hasEncoder) return { captions: new KeptCaptions({ bundle, reader, encoder: null, seal, log }), encoder: null };
  await verifyPart(bundle, 'encoder').catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      `${error.message}\nTo run a render worker without the text encoder, start it with --without-text-encoder.`,
    );
  });
  const counters = metrics ? createEncodeMetrics(Runtime.instance().metricMeter, device) : null;
  const encoder = createEncoder({
    bundleFolder: bundle.folder,
    device,
    threads: threads ?? usableCores(),
    onStart: ({ pid, loadMs }) => log.info({ encoderPid: pid, loadMs: Math.round(loadMs) }, 'text encoder ready'),
    onIdle: () => log.info('text encoder exited: it had no text to encode'),
  });
  const onEncoded = (): void => counters?.textEncoded();
  return { captions: new KeptCaptions({ bundle, reader, encoder, seal, log, onEncoded }), encoder };
}

type Surroundings = {
  connection: NativeConnection;
  namespace: string;
  openStore: OpenStore;
  keys: KeyUse;
  stop: WorkerStop;
};

/** The worker itself, for those who run it beside others in one process. */
export const createEncodeWorker = (
  captions: KeptCaptions,
  { connection, namespace, openStore, keys, stop }: Surroundings,
): Promise<Worker> =>
  Worker.create({
    connection,
    namespace,
    taskQueue: encodeQueue(captions.encoder),
    dataConverter: keys.dataConverter,
    activities: createEncodeActivities({ openStore, captions, stop }),
    interceptors: { activity: [discreetFailures, observeActivities(processTracer())] },
    // One text at a time; a second shard's would only wait beside the first's.
    maxConcurrentActivityTaskExecutions: 1,
    // The SDK holds heartbeats back for 80 % of their timeout unless told otherwise, and cancellations come with their answers.
    maxHeartbeatThrottleInterval: '1 second',
    ...WITHOUT_GRACE_TIME,
  });
