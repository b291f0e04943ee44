import { Command, Option } from 'commander';
import type { Size } from '../catalog/size.ts';
import { temporalTarget } from '../client/index.ts';
import { type RenderConfig, renderConfig } from '../workers/render-config.ts';
import { chosenBundle } from './chosen-bundle.ts';
import {
  addServerOptions,
  bundleOption,
  deviceOption,
  type ServerOptions,
  sizesOption,
  threadsOption,
  wholeNumber,
} from './options.ts';

export type WorkerOptions = ServerOptions & {
  orchestrator?: true;
  renderer?: true;
  bundle?: string;
  size?: Size[];
  device: string;
  threads?: number;
  grace: number;
};

const examples = `
Without --orchestrator or --renderer, one process does both. A fleet wants one or two orchestrators, and a renderer for
every GPU. The log goes to standard error, one JSON object a line; LOG_LEVEL sets how much.

Examples:
  $ npx pixart-batch worker --orchestrator
  $ npx pixart-batch worker --renderer --device cuda:0 --size 512 --size 1024 --bundle pixart-sigma-xl-2-1024
`;

export const workerCommand = (): Command =>
  addServerOptions(new Command('worker'))
    .description('run workflows, render images, or both, until told to stop')
    .option('--orchestrator', 'run workflows, and plan batches')
    .option('--renderer', 'render images on one device')
    .addOption(bundleOption())
    .addOption(sizesOption('a size to render; otherwise all of the bundle'))
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(
      new Option('--grace <seconds>', 'for the image in hand when told to stop; then it is handed back')
        .argParser(wholeNumber(0, 86_400))
        .default(30),
    )
    .addHelpText('after', examples)
    .action(work);

async function work(options: WorkerOptions): Promise<void> {
  const both = options.orchestrator === options.renderer;
  const target = temporalTarget(options);
  const render = both || options.renderer ? await renderSettings(options) : null;
  // Loaded only here: the SDK's worker is large, and no other verb needs it.
  const [{ createLog, logTemporalTo }, { runOrchestrator }, { runRenderWorker }] = await Promise.all([
    import('../workers/logging.ts'),
    import('../workers/orchestrator.ts'),
    import('../workers/render-worker.ts'),
  ]);
  const log = createLog('pixart-batch');
  logTemporalTo(log);
  await together([
    ...(both || options.orchestrator ? [runOrchestrator(target, log)] : []),
    ...(render === null ? [] : [runRenderWorker(render, target, log)]),
  ]);
}

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

async function renderSettings({ bundle, device, size, threads, grace }: WorkerOptions): Promise<RenderConfig> {
  const { folder } = await chosenBundle(bundle);
  return renderConfig({
    bundle: folder,
    device,
    sizes: size ?? [],
    graceSeconds: grace,
    ...(threads === undefined ? {} : { threads }),
  });
}
