import { type NativeConnection, Runtime, Worker } from '@temporalio/worker';
import type { Logger } from 'pino';
import { createOrchestratorActivities } from '../activities/index.ts';
import { dataConverter } from '../connection/data-converter.ts';
import type { ServedBy } from '../connection/worker-connection.ts';
import type { Summaries } from '../domain/summaries.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { observeActivities } from '../monitoring/observe-activities.ts';
import { processTracer } from '../monitoring/tracing/tracer.ts';
import { workflowSpans } from '../monitoring/tracing/workflow-spans.ts';
import { ORCHESTRATOR_QUEUE } from '../workflows/contract/queues.ts';
import type { Allowance } from './allowance.ts';
import { discreetFailures } from './discreet-failures.ts';
import { createMessengers } from './messengers.ts';
import { type Outside, outsideOf } from './outside.ts';
import { untilStopped } from './stopping.ts';
import { tellRouting } from './version-watch.ts';
import { workflowBundle } from './workflow-bundle.ts';
import { type Deployment, pinnedTo, workflowVersion } from './workflow-version.ts';

/**
 * Workflows kept in memory between their tasks. A batch of all sizes is 21 at once; one that is evicted is replayed from its
 * history when its next task comes, which costs time and nothing else.
 */
const CACHED_WORKFLOWS = 200;

/** Planning and writing records is the store's work more than ours; beyond these the store queues anyway. */
const ACTIVITIES_AT_ONCE = 16;

/**
 * Time for a record in hand to be written after the process was told to stop. What is not finished is done by the next
 * orchestrator.
 */
const GRACE_SECONDS = 10;

type OrchestratorOptions = {
  summaries?: Summaries | undefined;
  /** Without it, versions of workflows are not distinguished. */
  deployment?: Deployment | undefined;
};

/**
 * Runs workflows, and the activities that plan batches, write their records and send messages, until the process is
 * told to stop (SIGINT, SIGTERM).
 *
 * @param ready called when it takes work
 * @throws UserError if the server, or the environment's settings for messages, cannot be used
 */
export async function runOrchestrator(
  server: ServedBy,
  allowance: Allowance,
  keyring: Keyring | null,
  log: Logger,
  ready: () => void,
  options: OrchestratorOptions = {},
): Promise<void> {
  const { connection, address, namespace } = server;
  const outside = outsideOf(allowance);
  const messengers = await createMessengers(connection, namespace, outside, keyring);
  const worker = await createOrchestrator(connection, namespace, outside, keyring, options);
  const tells = messengers.map(({ options }) => options.taskQueue);
  const { useWorkerVersioning, version } = worker.options.workerDeploymentOptions ?? {};
  const isVersioned = useWorkerVersioning === true && version !== undefined;
  log.info({ queue: ORCHESTRATOR_QUEUE, address, tells, ...(isVersioned && version) }, 'orchestrator ready');
  ready();
  const stopped = new AbortController();
  const telling = isVersioned ? tellRouting(server, version, log, stopped.signal) : null;
  try {
    // No deadline: a record in hand must be finished.
    await untilStopped([worker, ...messengers], []);
  } finally {
    stopped.abort();
    await telling;
  }
}

/** The worker itself, for those who run it beside others in one process. */
export async function createOrchestrator(
  connection: NativeConnection,
  namespace: string,
  outside: Outside,
  keyring: Keyring | null,
  { summaries, deployment }: OrchestratorOptions = {},
): Promise<Worker> {
  const tracer = processTracer();
  const code = await workflowBundle(Runtime.instance().logger, keyring !== null);
  return Worker.create({
    connection,
    namespace,
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowBundle: code,
    ...(deployment !== undefined && {
      workerDeploymentOptions: pinnedTo(await workflowVersion(deployment, code.codePath)),
    }),
    dataConverter: dataConverter(keyring),
    activities: createOrchestratorActivities({
      ...outside,
      summaries,
      webhookSecret: process.env.PIXART_WEBHOOK_SECRET,
    }),
    interceptors: { activity: [discreetFailures, observeActivities(tracer)] },
    sinks: workflowSpans(tracer),
    maxCachedWorkflows: CACHED_WORKFLOWS,
    maxConcurrentActivityTaskExecutions: ACTIVITIES_AT_ONCE,
    // The SDK holds heartbeats back for 80 % of their timeout unless told otherwise, and cancellations come with their answers.
    maxHeartbeatThrottleInterval: '1 second',
    shutdownGraceTime: `${GRACE_SECONDS} seconds`,
  });
}
