import { type Command, Option } from 'commander';
import type { Size } from '../../../domain/size.ts';
import { SUMMARIES, type Summaries } from '../../../domain/summaries.ts';
import { LOG_FORMATS, type LogFormat } from '../../../workers/log-format.ts';
import { type AllowOptions, allowOption } from '../../options/allow-option.ts';
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
  signWithOption,
  sizesOption,
  threadsOption,
  userProjectOption,
} from '../../options/common-options.ts';
import { buildId, deploymentName, listenAddress, wholeNumber } from '../../options/values.ts';

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

/** Declares what a worker accepts on the command line or in its environment. */
export const addWorkerOptions = (command: Command): Command =>
  addServerOptions(command, '127.0.0.1:7233')
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
    .addOption(new Option('--log <format>', 'format of the log: json, or text for people').choices(LOG_FORMATS));
