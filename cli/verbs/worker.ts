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
Without --orchestrator, --renderer or --encoder, one process does all. A fleet wants one or two orchestrators, and a renderer for
every GPU. A renderer encodes texts too; where the text encoder is large, a few workers with --encoder do that for all others, which are
started with --without-text-encoder, and whose bundle folders may lack text_encoder.onnx and caption_projection.onnx. The log goes to standard error: to a terminal as text, otherwise one JSON object a line; LOG_LEVEL sets how much.
A collector that OTEL_EXPORTER_OTLP_ENDPOINT names gets traces. A worker waits for its server when that is away, and ends with exit code 4
when another one answers at the address.

SIGTERM or Ctrl-C stops it: what cannot be finished within --grace is handed back. SIGUSR2 drains it: it takes nothing new, finishes the images
that have begun, however long they take, and ends with exit code 0.

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
    .option('--encoder', 'only encode texts, for those who render without the text encoder')
    .option('--without-text-encoder', 'render from captions that others have encoded and kept in the store')
    .addOption(bundleOption())
    .addOption(sizesOption('a size to render; otherwise all of the bundle'))
    .addOption(deviceOption())
    .addOption(childrenOption())
    .addOption(microBatchOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--grace <seconds>', 'for the image in hand when told to stop; then it is handed back')
        .argParser(wholeNumber(0, 86_400))
        .default(30),
    )
    .addOption(
      new Option('--checkpoint <seconds>', 'keep the latents of a long image this often (default: 60)').argParser(
        wholeNumber(0, 86_400),
      ),
    )
    .addOption(scratchOption())
    .addOption(signWithOption())
    .addOption(signAsOption())
    .addOption(
      new Option(
        '--encrypt-kept <yes|no>',
        'encrypt kept captions and checkpoints with the first of the encryption keys',
      )
        .env('PIXART_ENCRYPT_KEPT')
        .choices(['yes', 'no'])
        .default('no'),
    )
    .addOption(
      new Option(
        '--summaries <what>',
        "what the orchestrator tells Temporal's UI of images: their ids and prompts, or their ids alone",
      )
        .env('PIXART_SUMMARIES')
        .choices(SUMMARIES)
        .default('prompts'),
    )
    .addOption(
      new Option(
        '--deployment <name>',
        'keep versions of the orchestrator apart, each batch with the one that it began with: the name of a Temporal worker deployment',
      )
        .env('TEMPORAL_DEPLOYMENT_NAME')
        .argParser(deploymentName),
    )
    .addOption(
      new Option(
        '--build-id <id>',
        'what this version is called there (default: its number and a digest of its workflows)',
      )
        .env('TEMPORAL_WORKER_BUILD_ID')
        .argParser(buildId),
    )
    .addOption(allowOption('no folder, every bucket, webhooks with https at public addresses, and mail to anybody'))
    .addOption(userProjectOption())
    .addOption(
      new Option('--metrics-address <host:port>', 'answer Prometheus there, such as 127.0.0.1:9464').argParser(
        listenAddress,
      ),
    )
    .addOption(
      new Option(
        '--http-address <host:port>',
        'answer there whether it takes work (/health) and, with --orchestrator, what work waits for workers (/wanted)',
      ).argParser(listenAddress),
    )
    .option(
      '--namespace-id <id>',
      'serve only a server whose namespace has this id (default: the one that it has at the start)',
    )
    .addOption(new Option('--log <format>', 'json, or text for people').choices(LOG_FORMATS))
    .addHelpText('after', examples)
    .action(work);

async function work(options: WorkerOptions): Promise<void> {
  const { orchestrator, renderer, encoder } = rolesOf(options);
  const target = temporalTarget(options);
  const allowance = allowanceOf(allowedPlaces(options));
  const keyring = await readKeyring();
  const versioned = { summaries: options.summaries, deployment: deploymentOf(options, orchestrator) };
  const render = renderer || encoder ? await renderSettings(options) : null;
  // Loaded only here: the SDK's worker is large, and no other verb needs it.
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

/** @throws UserError where a worker would encode no text, and texts alone, or an option is for a part that it does not have */
function rolesOf({ orchestrator, renderer, encoder, withoutTextEncoder, large }: WorkerOptions) {
  if (encoder && withoutTextEncoder && !renderer) {
    throw new UserError('--encoder: expected the text encoder, found --without-text-encoder; leave one of the two out');
  }
  const isAll = !orchestrator && !renderer && !encoder;
  if (!isAll && !renderer) {
    if (large) throw withoutRenderer('--large');
    if (withoutTextEncoder) throw withoutRenderer('--without-text-encoder');
  }
  return {
    orchestrator: isAll || orchestrator === true,
    renderer: isAll || renderer === true,
    // A renderer does that too.
    encoder: encoder === true && (renderer !== true || withoutTextEncoder === true),
  };
}

/** @throws UserError where a build has no deployment, or there is no orchestrator to have one */
function deploymentOf({ deployment: name, buildId }: WorkerOptions, orchestrator: boolean): Deployment | undefined {
  if (name === undefined && buildId === undefined) return undefined;
  if (name === undefined) {
    throw new UserError('--build-id: expected --deployment beside it, found none; a build is one of a deployment');
  }
  if (orchestrator) return { name, buildId };
  throw new UserError(
    '--deployment: expected a worker with an orchestrator, found none; it keeps versions of workflows apart, which render and encode workers do not have. ' +
      'Add --orchestrator, or leave --deployment out (TEMPORAL_DEPLOYMENT_NAME)',
  );
}

const withoutRenderer = (option: string): UserError =>
  new UserError(`${option}: expected a worker that renders, found none; add --renderer, or leave ${option} out`);

/** Runs until all have ended. One that fails stops the others in the way that a person would, with a signal. */
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
