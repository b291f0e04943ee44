import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { encodeJobs, readJobs } from '../../activities/batch-pieces.ts';
import { createOrchestratorActivities, createRenderActivities } from '../../activities/index.ts';
import { simulatedRenderer } from '../../benchmarks/simulated-renderer.ts';
import { manifestSchema } from '../../catalog/receipt.ts';
import { findTemporal } from '../../infra/dev/temporal-server.ts';
import { manifestName, openStore, shardName } from '../../store/index.ts';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import { batchStart } from '../../workflows/batch-start.ts';
import {
  type BatchInput,
  type BatchProgress,
  ORCHESTRATOR_QUEUE,
  type Plan,
  PROGRESS_QUERY,
  renderQueue,
} from '../../workflows/contract.ts';
import { SEARCH_ATTRIBUTES } from '../../workflows/search-attributes.ts';
import { BUNDLE } from './site.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const JOBS = 24;
const JOBS_PER_SHARD = 2;

let server: TestWorkflowEnvironment;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-continue-'));
  server = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: findTemporal() },
      searchAttributes: SEARCH_ATTRIBUTES,
      // The server suggests it after thousands of events; here a few shards make enough of them.
      extraArgs: ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=60'],
    },
  });
});

afterAll(async () => {
  await server.teardown();
  await rm(folder, { recursive: true });
});

it('a batch with a long history continues as new with its window drained, and loses neither jobs nor counts', async () => {
  const input = await writeCatalog();
  const workers = await startWorkers();
  const { workflowId, ...options } = batchStart(input);
  const running = Promise.all(workers.map((worker) => worker.run()));
  const handle = await server.client.workflow.start('renderBatch', {
    ...options,
    workflowId,
    taskQueue: ORCHESTRATOR_QUEUE,
  });
  await handle.result();

  const progress = await handle.query<BatchProgress, []>(PROGRESS_QUERY);
  expect(progress).toMatchObject({ state: 'completed', totals: { jobs: JOBS, rendered: JOBS, failed: 0 } });
  const manifest = await (await openStore(input.store)).read(manifestName(input.batch));
  expect(manifestSchema.parse(JSON.parse(Buffer.from(manifest).toString())).images).toHaveLength(JOBS);

  const runs: string[] = [];
  for await (const run of server.client.workflow.list({ query: `WorkflowId = '${workflowId}'` })) {
    expect(run.memo).toMatchObject({ batch: 'long' });
    runs.push(run.status.name);
  }
  expect(runs.filter((status) => status === 'CONTINUED_AS_NEW').length).toBeGreaterThan(0);
  expect(runs.filter((status) => status === 'COMPLETED')).toHaveLength(1);
  for (const worker of workers) worker.shutdown();
  await running;
});

async function writeCatalog(): Promise<BatchInput> {
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

async function startWorkers(): Promise<Worker[]> {
  const activities = createOrchestratorActivities({ openStore });
  const { nativeConnection: connection } = server;
  const renderer = simulatedRenderer({ bundle: BUNDLE, side: 8 });
  return Promise.all([
    Worker.create({
      connection,
      taskQueue: ORCHESTRATOR_QUEUE,
      workflowBundle: await workflowBundle(Runtime.instance().logger),
      activities: {
        ...activities,
        planBatch: async (input: BatchInput) => inSmallShards(input, await activities.planBatch(input)),
      },
    }),
    Worker.create({
      connection,
      taskQueue: renderQueue('256'),
      activities: createRenderActivities({ openStore, renderer }),
    }),
  ]);
}

/** A batch needs thousands of jobs for many shards; this cuts its one shard smaller. */
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
    await store.replace(name, encodeJobs(slice), 'application/x-ndjson');
  }
  return { jobs: jobs.length, shards };
}
