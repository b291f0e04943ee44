import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Runtime, Worker } from '@temporalio/worker';
import { createOrchestratorActivities, createRenderActivities } from '../../activities/index.ts';
import { simulatedCaptions, simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import { shardName } from '../../records/layout.ts';
import { encodeJobs, readJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { pinnedTo } from '../../workers/workflow-version.ts';
import type { WriteReceiptsInput } from '../../workflows/contract/activities.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { batchStart } from '../../workflows/contract/batch-start.ts';
import type { Plan } from '../../workflows/contract/plan.ts';
import { batchWorkflowId, ORCHESTRATOR_QUEUE, renderQueue } from '../../workflows/contract/queues.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/contract/search-attributes.ts';
import type { WorkflowVersion } from '../../workflows/contract/versions.ts';
import { anywhere } from '../anywhere.ts';
import { BUNDLE } from './site.ts';

export const JOBS = 24;
const JOBS_PER_SHARD = 2;

/** A batch that has ended after continuing as new, while its server and workers still answer. */
export type LongBatch = {
  batch: string;
  workflowId: string;
  client: Client;
  store: ObjectStore;
  stop(): Promise<void>;
};

export type LongBatchOptions = {
  /**
   * The number of events after which the server suggests continuing as new: usually thousands, here so few that some
   * shards suffice.
   */
  suggestAt?: number;
  /** Called when a shard has ended its jobs and is about to write its receipts. */
  beforeReceipts?: (batch: WorkflowHandle) => Promise<unknown>;
  /** Its orchestrator's version, which is current when it starts. */
  version?: WorkflowVersion;
};

/** Runs a batch of many small shards to its end on a server that suggests continuing as new early. */
export async function runLongBatch({
  suggestAt = 60,
  beforeReceipts,
  version,
}: LongBatchOptions = {}): Promise<LongBatch> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-long-'));
  const server = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: findTemporal() },
      searchAttributes: SEARCH_ATTRIBUTES,
      extraArgs: ['--dynamic-config-value', `limit.historyCount.suggestContinueAsNew=${suggestAt}`],
    },
  });
  const input = await writeCatalog(folder);
  const { client } = server;
  const workers = await startWorkers(
    server,
    () => beforeReceipts?.(client.workflow.getHandle(batchWorkflowId('long'))),
    version,
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  if (version !== undefined) await makeCurrent(client, version);
  const handle = await client.workflow.start('renderBatch', { ...batchStart(input), taskQueue: ORCHESTRATOR_QUEUE });
  await Promise.allSettled([handle.result()]);
  return {
    batch: input.batch,
    workflowId: batchWorkflowId(input.batch),
    client,
    store: await openStore(input.store),
    async stop() {
      for (const worker of workers) worker.shutdown();
      await running;
      await server.teardown();
      await rm(folder, { recursive: true });
    },
  };
}

async function writeCatalog(folder: string): Promise<BatchInput> {
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, ['prompt', ...Array.from({ length: JOBS }, (_, row) => `a cat number ${row}`)].join('\n'));
  return {
    batch: 'long',
    round: 1,
    store: pathToFileURL(path.join(folder, 'out')).href,
    source: { kind: 'catalog', url: pathToFileURL(catalog).href, format: 'csv', columns: {} },
    bundle: BUNDLE,
    defaults: { size: '256', format: 'png', quality: null },
    window: 2,
  };
}

/** Makes a version current, even if no worker has it. */
export async function makeCurrent(
  { workflowService }: Pick<Client, 'workflowService'>,
  version: WorkflowVersion,
): Promise<void> {
  await workflowService.setWorkerDeploymentCurrentVersion({
    ...version,
    namespace: 'default',
    allowNoPollers: true,
    ignoreMissingTaskQueues: true,
  });
}

async function startWorkers(
  server: TestWorkflowEnvironment,
  beforeReceipts: () => unknown,
  version: WorkflowVersion | undefined,
): Promise<Worker[]> {
  const activities = createOrchestratorActivities(anywhere);
  const { nativeConnection: connection } = server;
  const renderer = simulatedRenderer({ bundle: BUNDLE, side: 8 });
  return Promise.all([
    Worker.create({
      connection,
      taskQueue: ORCHESTRATOR_QUEUE,
      ...(version !== undefined && { workerDeploymentOptions: pinnedTo(version) }),
      workflowBundle: await workflowBundle(Runtime.instance().logger),
      activities: {
        ...activities,
        planBatch: async (input: BatchInput) => inSmallShards(input, await activities.planBatch(input)),
        writeReceipts: async (input: WriteReceiptsInput) => {
          await beforeReceipts();
          await activities.writeReceipts(input);
        },
      },
    }),
    Worker.create({
      connection,
      taskQueue: renderQueue('256', BUNDLE.digest),
      activities: createRenderActivities({ captions: simulatedCaptions, openStore, renderer }),
    }),
  ]);
}

/** Splits a batch's one shard, since many real shards need thousands of jobs. */
async function inSmallShards(input: BatchInput, plan: Plan): Promise<Plan> {
  const store = await openStore(input.store);
  const jobs = await readJobs(store, plan.shards[0]!.name);
  const shards = Array.from({ length: jobs.length / JOBS_PER_SHARD }, (_, shard) => ({
    shard,
    size: '256' as const,
    jobs: JOBS_PER_SHARD,
    name: shardName(input.batch, input.round, shard),
  }));
  for (const { shard, name } of shards) {
    const slice = jobs.slice(shard * JOBS_PER_SHARD, (shard + 1) * JOBS_PER_SHARD);
    await store.replace(name, await encodeJobs(slice), 'application/x-ndjson');
  }
  return { jobs: jobs.length, shards };
}
