import { Command, Option } from 'commander';
import { temporalTarget } from '../../client/index.ts';
import type { Size } from '../../domain/size.ts';
import { SUMMARIES, type Summaries } from '../../domain/summaries.ts';
import { UserError } from '../../domain/user-error.ts';
import { readKeyring } from '../../encryption/read-keyring.ts';
import { chosenBundle } from '../../models/pixart/index.ts';
import { storeUrl } from '../../store/index.ts';
import { allowanceOf } from '../../workers/allowance.ts';
import { LOG_FORMATS, type LogFormat, usualLogFormat } from '../../workers/log-format.ts';
import { type RenderConfig, renderConfig } from '../../workers/render-config.ts';
import type { Deployment } from '../../workers/workflow-version.ts';
import { type AllowOptions, allowedPlaces, allowOption } from '../options/allow-option.ts';
import {
  addServerOptions,
  bundleOption,
  childrenOption,
  deviceOption,
  type MicroBatchOption,
  microBatchOption,
  type ServerOptions,
  type SigningOptions,
  scratchOption,
  signAsOption,
  signingOf,
  signWithOption,
  sizesOption,
  threadsOption,
  userProjectOption,
} from '../options/common-options.ts';
import { buildId, deploymentName, listenAddress, wholeNumber } from '../options/values.ts';

export type WorkerOptions = ServerOptions &
  MicroBatchOption &
  SigningOptions &
  AllowOptions & {
    orchestrator?: true;
    renderer?: true;
    large?: true;
    encoder?: true;
    withoutTextEncoder?: true;
    bundle?: string;
    size?: Size[];
    device: string;
    children?: number;
    threads?: number;
    grace: number;
    checkpoint?: number;
    scratch?: string;
    encryptKept: 'yes' | 'no';
    summaries?: Summaries;
    deployment?: string;
    buildId?: string;
    metricsAddress?: string;
    httpAddress?: string;
    namespaceId?: string;
    log?: LogFormat;
  };

const examples = `
Without --orchestrator, --renderer or --encoder, one process does everything. A fleet needs one or two orchestrators, and a renderer per
GPU. Renderers encode texts too. If the text encoder is large, a few workers with --encoder can do that for renderers started with
--without-text-encoder, whose bundle folders may lack text_encoder.onnx and caption_projection.onnx.
The log goes to standard error: as text to a terminal, otherwise as one JSON object per line; LOG_LEVEL sets its level. Traces go to the
collector in OTEL_EXPORTER_OTLP_ENDPOINT. A worker waits while its server is unreachable, and exits with code 4 if another server answers
at the address.
SIGTERM or Ctrl-C stops a worker: what it cannot finish within --grace is handed back. SIGUSR2 drains it: it accepts nothing new, finishes
the images it has begun, however long they take, and exits with code 0.

Examples:
  $ npx pixart-batch worker --orchestrator
  $ npx pixart-batch worker --orchestrator --allow /mnt/team/images --allow /mnt/team/catalogs
  $ npx pixart-batch worker --orchestrator --deployment studio
  $ PIXART_SLACK_URL=https://hooks.slack.com/… npx pixart-batch worker --orchestrator          # for --webhook slack: docs/guide.md
  $ npx pixart-batch worker --renderer --device cuda:0 --size 512 --size 1024 --bundle pixart-sigma-xl-2-1024
  $ npx pixart-batch worker --encoder --bundle pixart-sigma-xl-2-1024
  $ npx pixart-batch worker --renderer --device cuda:0 --bundle pixart-icons --sign-with key.pem --sign-as chain.pem
  $ npx pixart-batch worker --renderer --without-text-encoder --device cuda:0 --bundle pixart-sigma-xl-2-1024
  $ kill -USR2 <process id of a worker>
`;

export const workerCommand = (): Command =>
  addServerOptions(new Command('worker'), '127.0.0.1:7233')
    .option('--orchestrator', 'run workflows, and plan batches')
    .option('--renderer', 'render images on one device, and encode texts')
    .option('--large', 'also render images for which other workers had too little memory')
    .option('--encoder', 'only encode texts, for workers that render without the text encoder')
    .option('--without-text-encoder', 'render from captions that other workers have encoded into the store')
    .addOption(bundleOption())
    .addOption(sizesOption("size to render; default: all the bundle's sizes"))
    .addOption(deviceOption())
    .addOption(childrenOption())
    .addOption(microBatchOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--grace <seconds>', 'time to finish the images in hand when stopped, before they are handed back')
        .argParser(wholeNumber(0, 86_400))
        .default(30),
    )
    .addOption(
      new Option('--checkpoint <seconds>', 'interval between checkpoints of a long image; default: 60').argParser(
        wholeNumber(0, 86_400),
      ),
    )
    .addOption(scratchOption())
    .addOption(signWithOption())
    .addOption(signAsOption())
    .addOption(
      new Option('--encrypt-kept <yes|no>', 'encrypt stored captions and checkpoints with the first encryption key')
        .env('PIXART_ENCRYPT_KEPT')
        .choices(['yes', 'no'])
        .default('no'),
    )
    .addOption(
      new Option('--summaries <what>', "what Temporal's UI shows of images: ids and prompts, or only ids")
        .env('PIXART_SUMMARIES')
        .choices(SUMMARIES)
        .default('prompts'),
    )
    .addOption(
      new Option(
        '--deployment <name>',
        'name of a Temporal worker deployment: pins each batch to the orchestrator version that it started with',
      )
        .env('TEMPORAL_DEPLOYMENT_NAME')
        .argParser(deploymentName),
    )
    .addOption(
      new Option(
        '--build-id <id>',
        'build ID of this version in the deployment; default: its number and a digest of its workflows',
      )
        .env('TEMPORAL_WORKER_BUILD_ID')
        .argParser(buildId),
    )
    .addOption(allowOption('no folders, any bucket, https webhooks at public addresses, and mail to anyone'))
    .addOption(userProjectOption())
    .addOption(
      new Option('--metrics-address <host:port>', 'serve Prometheus metrics there, such as 127.0.0.1:9464').argParser(
        listenAddress,
      ),
    )
    .addOption(
      new Option(
        '--http-address <host:port>',
        'report there whether it accepts work (/health) and, with --orchestrator, what work is waiting for workers (/wanted)',
      ).argParser(listenAddress),
    )
    .option(
      '--namespace-id <id>',
      'only serve a server whose namespace has this id; default: the id that it has at start-up',
    )
    .addOption(new Option('--log <format>', 'format of the log: json, or text for people').choices(LOG_FORMATS))
    .addHelpText('after', examples)
    .action(work);

async function work(options: WorkerOptions): Promise<void> {
  const { orchestrator, renderer, encoder } = rolesOf(options);
  const target = temporalTarget(options);
  const allowance = allowanceOf(allowedPlaces(options));
  const keyring = await readKeyring();
  const versioned = { summaries: options.summaries, deployment: deploymentOf(options, orchestrator) };
  const render = renderer || encoder ? await renderSettings(options) : null;
  // Loaded only here: the SDK's worker is large, and other verbs do not need it.
  const [
    { createLog },
    { serve },
    { installRuntime },
    { processTracer },
    { runOrchestrator },
    { runRenderWorker },
    { runEncodeWorker },
    { startStatus },
    { tellDrain },
  ] = await Promise.all([
    import('../../workers/logging.ts'),
    import('../../workers/serve.ts'),
    import('../../workers/runtime.ts'),
    import('../../monitoring/tracing/tracer.ts'),
    import('../../workers/orchestrator.ts'),
    import('../../workers/render-worker.ts'),
    import('../../workers/encode-worker.ts'),
    import('../../workers/status.ts'),
    import('../../workers/stopping.ts'),
  ]);
  const log = createLog('pixart-batch', options.log ?? usualLogFormat());
  tellDrain(log);
  const tracer = processTracer((message) => log.warn(message));
  installRuntime({ log, metricsAddress: options.metricsAddress });
  const parts = [orchestrator, renderer, encoder].filter((isThere) => isThere).length;
  try {
    await serve(target, { namespaceId: options.namespaceId, keyring, log }, async (server) => {
      const status = await startStatus(options.httpAddress, { parts, counts: orchestrator, server, keyring, log });
      const { ready } = status;
      await together([
        ...(orchestrator ? [runOrchestrator(server, allowance, keyring, log, ready, versioned)] : []),
        ...(render !== null && renderer ? [runRenderWorker(server, render, allowance, keyring, log, ready)] : []),
        ...(render !== null && encoder ? [runEncodeWorker(server, render, allowance, keyring, log, ready)] : []),
      ]).finally(() => status.stop());
    });
  } finally {
    await tracer?.flush();
  }
}

/** @throws UserError if a worker would only encode texts but has no text encoder, or an option is for a role it does not have */
function rolesOf({ orchestrator, renderer, encoder, withoutTextEncoder, large }: WorkerOptions) {
  if (encoder && withoutTextEncoder && !renderer) {
    throw new UserError('--encoder: expected a text encoder, found --without-text-encoder; leave one of the two out');
  }
  const isAll = !orchestrator && !renderer && !encoder;
  if (!isAll && !renderer) {
    if (large) throw withoutRenderer('--large');
    if (withoutTextEncoder) throw withoutRenderer('--without-text-encoder');
  }
  return {
    orchestrator: isAll || orchestrator === true,
    renderer: isAll || renderer === true,
    // A renderer encodes texts itself.
    encoder: encoder === true && (renderer !== true || withoutTextEncoder === true),
  };
}

/** @throws UserError if a build ID has no deployment, or a deployment has no orchestrator */
function deploymentOf({ deployment: name, buildId }: WorkerOptions, orchestrator: boolean): Deployment | undefined {
  if (name === undefined && buildId === undefined) return undefined;
  if (name === undefined) {
    throw new UserError('--build-id: expected --deployment as well, found none; a build belongs to a deployment');
  }
  if (orchestrator) return { name, buildId };
  throw new UserError(
    '--deployment: expected a worker with an orchestrator, found none; it versions workflows, which render and encode workers do not run. ' +
      'Add --orchestrator, or leave --deployment out (TEMPORAL_DEPLOYMENT_NAME)',
  );
}

const withoutRenderer = (option: string): UserError =>
  new UserError(`${option}: expected a worker that renders, found none; add --renderer, or leave ${option} out`);

/** Runs until all have ended. One that fails stops the others as a user would, with a signal. */
async function together(workers: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(
    workers.map((worker) =>
      worker.catch((error) => {
        if (workers.length > 1) process.kill(process.pid, 'SIGTERM');
        throw error;
      }),
    ),
  );
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function renderSettings({
  bundle,
  device,
  size,
  children,
  microBatch,
  threads,
  grace,
  checkpoint,
  scratch,
  encryptKept,
  large,
  metricsAddress,
  withoutTextEncoder,
  ...others
}: WorkerOptions): Promise<RenderConfig> {
  const signing = signingOf(others);
  const { folder } = await chosenBundle(bundle);
  return renderConfig({
    bundle: folder,
    device,
    sizes: size ?? [],
    graceSeconds: grace,
    ...(checkpoint === undefined ? {} : { checkpointSeconds: checkpoint }),
    ...(scratch === undefined ? {} : { scratch: storeUrl(scratch) }),
    encryptKept: encryptKept === 'yes',
    large: large === true,
    metrics: metricsAddress !== undefined,
    textEncoder: withoutTextEncoder !== true,
    ...(children === undefined ? {} : { children }),
    ...(threads === undefined ? {} : { threads }),
    ...(microBatch === undefined ? {} : { microBatch }),
    ...(signing === undefined ? {} : { signing }),
  });
}
