import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { batchEnd, connect, reviewPageEnd, submitBatch, temporalTarget } from '../../client/index.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { type MemoryWatch, processorSeconds, watchMemory } from '../process-watch.ts';
import { BUNDLE } from './bundle.ts';

/**
 * Both runs use the same server, with workflows in one process and activities in another; each returns jobs a second.
 */
export type Rig = {
  bare(jobs: number, window: number): Promise<number>;
  /** From submission to the finished manifest and contact sheet. */
  batch(jobs: number, window: number): Promise<number>;
  /** Waits until the last batch's review page is written, which would slow down the next measurement. */
  settled(): Promise<void>;
  /** The longest history of each workflow type, in events and bytes. */
  longestHistories(): Promise<Record<string, { events: number; bytes: number }>>;
  memory: MemoryWatch<'server' | 'workflows' | 'activities'>;
  /** Of these three processes, since they started. */
  processorSeconds(): Promise<number>;
  stop(): Promise<void>;
};

export async function startRig(storage: 'memory' | 'file'): Promise<Rig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-throughput-'));
  const server = await startTemporalServer({
    ui: false,
    ...(storage === 'file' ? { dbFile: path.join(folder, 'temporal.db') } : {}),
  });
  const client = await connect(temporalTarget({ address: server.address }));
  const workflows = await startProcess('workflow-process.ts', server.address);
  const activities = await startProcess('render-process.ts', server.address);
  const pids = { server: server.pid, workflows: workflows.pid!, activities: activities.pid! };
  const memory = watchMemory(pids);
  const store = pathToFileURL(path.join(folder, 'out')).href;
  let runs = 0;
  let page = Promise.resolve();
  let endPage = (): Promise<unknown> => Promise.resolve();
  return {
    memory,
    settled: () => page,
    processorSeconds: () => processorSeconds(Object.values(pids)),
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
      page = reviewPageEnd(client, end.result);
      endPage = () => client.temporal.workflow.getHandle(end.result.sheetPage!).terminate();
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
      memory.stop();
      // The page is not needed, and nothing may wait on a closed client.
      await endPage().catch(() => undefined);
      await page;
      for (const child of [activities, workflows]) {
        child.disconnect();
        await once(child, 'exit');
      }
      await client.close();
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

async function startProcess(name: string, address: string): Promise<ChildProcess> {
  const file = fileURLToPath(new URL(name, import.meta.url));
  const child = fork(file, [address], { execArgv: ['--import', 'tsx'] });
  await once(child, 'message');
  return child;
}
