import { Command } from 'commander';
import { temporalTarget } from '../../../client/index.ts';
import { readKeyring } from '../../../encryption/read-keyring.ts';
import { allowanceOf } from '../../../workers/allowance.ts';
import { usualLogFormat } from '../../../workers/log-format.ts';
import { allowedPlaces } from '../../options/allow-option.ts';
import { addWorkerOptions, type WorkerOptions } from './worker-options.ts';
import { deploymentOf, renderSettings, rolesOf } from './worker-settings.ts';

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
  addWorkerOptions(new Command('worker')).addHelpText('after', examples).action(work);

const NO_FOLDER = 'no folder is allowed: batches whose store is a folder will fail here; to allow it: --allow <folder>';

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
    import('../../../workers/logging.ts'),
    import('../../../workers/serve.ts'),
    import('../../../workers/runtime.ts'),
    import('../../../monitoring/tracing/tracer.ts'),
    import('../../../workers/orchestrator.ts'),
    import('../../../workers/render-worker.ts'),
    import('../../../workers/encode-worker.ts'),
    import('../../../workers/status.ts'),
    import('../../../workers/stopping.ts'),
  ]);
  const log = createLog('pixart-batch', options.log ?? usualLogFormat());
  tellDrain(log);
  if (allowance.paths.length === 0) log.info(NO_FOLDER);
  const tracer = processTracer((message) => log.warn(message));
  installRuntime({ log, metricsAddress: options.metricsAddress });
  const parts = [orchestrator, renderer, encoder].filter(Boolean).length;
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

/** Waits until all have ended. One that fails stops the others as a user would, with a signal. */
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
