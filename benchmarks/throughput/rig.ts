import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { createRenderActivities } from '../../activities/index.ts';
import { batchEnd, connect, sheetPageEnd, submitBatch, temporalTarget } from '../../client/index.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { openStore } from '../../store/index.ts';
import { renderQueue } from '../../workflows/contract.ts';
import { simulatedRenderer } from '../simulated-renderer.ts';

const BUNDLE = {
  name: 'simulated',
  digest: '0'.repeat(64),
  sizes: ['256' as const],
  defaults: { steps: 1, guidance: 4 },
};

/** Both run on the same server, with workflows in one process and activities in another; each returns jobs a second. */
export type Rig = {
  bare(jobs: number, window: number): Promise<number>;
  /** From submission to the finished manifest and contact sheet. */
  batch(jobs: number, window: number): Promise<number>;
  /** Events of the longest history of each type of workflow, and its bytes. */
  longestHistories(): Promise<Record<string, { events: number; bytes: number }>>;
  /** Resident memory of the process that runs workflows, a value a second, in MB. */
  memory: number[];
  stop(): Promise<void>;
};

export async function startRig(storage: 'memory' | 'file'): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-throughput-'));
  const server = await startTemporalServer({
    ui: false,
    ...(storage === 'file' ? { dbFile: path.join(folder, 'temporal.db') } : {}),
  });
  const client = await connect(temporalTarget({ address: server.address }));
  const memory: number[] = [];
  const workflows = await startWorkflows(server.address, memory);
  const connection = await NativeConnection.connect({ address: server.address });
  const workers = await createActivityWorkers(connection);
  const running = workers.map((worker) => worker.run());
  const store = pathToFileURL(path.join(folder, 'out')).href;
  let runs = 0;
  return {
    memory,
    async bare(jobs, window) {
      runs += 1;
      const started = performance.now();
      await client.temporal.workflow.execute('bare', {
        workflowId: `bare-${runs}`,
        taskQueue: 'bare',
        args: [jobs, window],
      });
      return (1_000 * jobs) / (performance.now() - started);
    },
    async batch(jobs, window) {
      runs += 1;
      const catalog = path.join(folder, 'catalog.csv');
      const rows = Array.from({ length: jobs }, (_, row) => `a lighthouse at dusk with ${row} gulls in run ${runs}`);
      await writeFile(catalog, ['prompt', ...rows].join('\n'));
      const started = performance.now();
      const { batch } = await submitBatch(client, { catalog, store, bundle: BUNDLE, batch: `run-${runs}`, window });
      const end = await batchEnd(client, batch);
      const seconds = (performance.now() - started) / 1_000;
      if (end.state !== 'completed' || end.result.totals.rendered !== jobs) throw new Error(JSON.stringify(end));
      // It has ended; the page to review it with would take a part of whatever is measured next.
      await sheetPageEnd(client, end.result);
      return jobs / seconds;
    },
    async longestHistories() {
      const longest: Record<string, { events: number; bytes: number }> = {};
      for await (const { workflowId, runId, type } of client.temporal.workflow.list()) {
        const about = await client.temporal.workflow.getHandle(workflowId, runId).describe();
        if (about.historyLength <= (longest[type]?.events ?? 0)) continue;
        longest[type] = { events: about.historyLength, bytes: about.historySize ?? 0 };
      }
      return longest;
    },
    async stop() {
      for (const worker of workers) worker.shutdown();
      await Promise.all(running);
      await connection.close();
      workflows.disconnect();
      await once(workflows, 'exit');
      await client.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function startWorkflows(address: string, memory: number[]): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('workflow-process.ts', import.meta.url));
  const child = fork(file, [address], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  child.on('message', ({ rss }: NodeJS.MemoryUsage) => memory.push(Math.round(rss / 2 ** 20)));
  return child;
}

/** A window's worth of slots each: what is compared is orchestration, not how many images one machine renders at once. */
function createActivityWorkers(connection: NativeConnection): Promise<Worker[]> {
  const renderer = simulatedRenderer({ bundle: BUNDLE, side: 8 });
  return Promise.all([
    Worker.create({ connection, taskQueue: 'bare-activities', activities: { noop: async () => {} } }),
    Worker.create({
      connection,
      taskQueue: renderQueue('256'),
      activities: createRenderActivities({ openStore, renderer }),
    }),
  ]);
}
