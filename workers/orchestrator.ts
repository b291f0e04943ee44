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
import { type Outside, outsideOf } from './outside.ts';
import { workflowBundle } from './workflow-bundle.ts';

/**
 * Workflows kept in memory between their tasks. A batch of all sizes is 21 at once; one that is put out is replayed from its
 * history when its next task comes, which costs time and nothing else.
 */
const CACHED_WORKFLOWS = 200;

/** Planning and writing records is the store's work more than ours; beyond these the store queues anyway. */
const ACTIVITIES_AT_ONCE = 16;

/** Time for a record in hand to be written after the process was told to stop. What is not finished is done by the next orchestrator. */
const GRACE_TIME = '10 seconds';

/**
 * Runs workflows, and the activities that plan batches and write their records, until the process is told to stop
 * (SIGINT, SIGTERM).
 *
 * @param ready called when it takes work
 * @throws UserError where the server cannot be used
 */
export async function runOrchestrator(
  { connection, address, namespace }: ServedBy,
  allowance: Allowance,
  keyring: Keyring | null,
  log: Logger,
  ready: () => void,
  summaries?: Summaries,
): Promise<void> {
  const worker = await createOrchestrator(connection, namespace, outsideOf(allowance), keyring, summaries);
  log.info({ queue: ORCHESTRATOR_QUEUE, address }, 'orchestrator ready');
  ready();
  await worker.run();
}

/** The worker itself, for those who run it beside others in one process. */
export async function createOrchestrator(
  connection: NativeConnection,
  namespace: string,
  outside: Outside,
  keyring: Keyring | null,
  summaries?: Summaries,
): Promise<Worker> {
  const tracer = processTracer();
  return Worker.create({
    connection,
    namespace,
    taskQueue: ORCHESTRATOR_QUEUE,
    workflowBundle: await workflowBundle(Runtime.instance().logger, keyring !== null),
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
    shutdownGraceTime: GRACE_TIME,
  });
}
