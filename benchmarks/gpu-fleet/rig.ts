import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { batchEnd, connect, reviewPageEnd, submitBatch, temporalTarget } from '../../client/index.ts';
import type { Size } from '../../domain/size.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { WorkerProcess } from '../../tests/e2e/worker-process.ts';
import { type Look, looked } from './looks.ts';
import { BUNDLE, type FleetPart, type GpuRecord } from './part.ts';
import { STEPS } from './rates.ts';
import { countsBetween, metricsUrl, type ServerCounts, serverCounts } from './server-metrics.ts';
import { shardPause } from './shard-pause.ts';

const LOOK_MS = 250;

/** Enough that no event loop is full before two cores are, few enough that their idle time does not count. */
const PROCESSES_AT_MOST = 2;

/** How many images, how many of them may be scheduled at once, and how many of those are queued when workers are full. */
export type BatchSize = { images: number; window: number; queued: number };

/** What was seen of a fleet while it made a batch. */
export type Run = { gpus: GpuRecord[]; looks: Look[]; counts: ServerCounts; shardPauseMs: number };

/** A server on its file and one orchestrator, in processes of their own. */
export type FleetRig = {
  /** Makes a batch of images of the rate's size with new render workers. */
  run(part: Omit<FleetPart, 'address'>, batch: BatchSize): Promise<Run>;
  stop(): Promise<void>;
};

export async function startFleetRig(): Promise<FleetRig> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-gpu-fleet-'));
  const dbFile = path.join(folder, 'temporal.db');
  const server = await startTemporalServer({ ui: false, dbFile });
  const { address } = server;
  const metrics = await metricsUrl(dbFile);
  const client = await connect(temporalTarget({ address }));
  const orchestrator = new WorkerProcess(['--orchestrator', '--address', address]);
  await orchestrator.said('orchestrator ready');
  const store = pathToFileURL(path.join(folder, 'out')).href;
  let runs = 0;

  /** @returns once the batch is complete */
  async function batchOf(size: Size, { images, window }: BatchSize): Promise<Omit<Run, 'gpus' | 'looks'>> {
    const batch = `run-${++runs}`;
    const catalog = path.join(folder, `${batch}.csv`);
    const rows = Array.from({ length: images }, (_, row) => `image ${row} of ${batch},${size},${STEPS}`);
    await writeFile(catalog, ['prompt,size,steps', ...rows].join('\n'));
    const before = await serverCounts(metrics);
    await submitBatch(client, { catalog, store, bundle: BUNDLE, batch, window });
    const end = await batchEnd(client, batch);
    const counts = countsBetween(before, await serverCounts(metrics));
    if (end.state !== 'completed' || end.result.totals.rendered !== images) throw new Error(JSON.stringify(end));
    // Nobody reviews these images, and the page would be written during the next run.
    await client.temporal.workflow
      .getHandle(end.result.sheetPage!)
      .terminate()
      .catch(() => undefined);
    await reviewPageEnd(client, end.result);
    return { counts, shardPauseMs: await shardPause(client, batch) };
  }

  return {
    async run({ rate, gpus }, batch) {
      const processes = await Promise.all(shares(gpus).map((share) => startPart({ address, rate, gpus: share })));
      const pids = {
        server: [server.pid],
        orchestrator: [orchestrator.pid],
        workers: processes.map(({ pid }) => pid!),
      };
      const looks: Look[] = [];
      const looking = setInterval(() => looks.push(looked(pids)), LOOK_MS);
      try {
        const seen = await batchOf(rate.size, batch);
        return { ...seen, gpus: (await Promise.all(processes.map(reportOf))).flat(), looks };
      } finally {
        clearInterval(looking);
        await Promise.all(processes.map(ended));
      }
    },
    async stop() {
      await client.close();
      await orchestrator.kill('SIGTERM');
      await server.stop();
      await rm(folder, { recursive: true });
    },
  };
}

/** GPUs for each process. */
function shares(gpus: number): number[] {
  const processes = Math.min(gpus, PROCESSES_AT_MOST);
  return Array.from({ length: processes }, (_, i) => Math.floor((gpus + i) / processes));
}

async function startPart(part: FleetPart): Promise<ChildProcess> {
  const file = fileURLToPath(new URL('render-process.ts', import.meta.url));
  const child = fork(file, [JSON.stringify(part)], { execArgv: ['--import', 'tsx'] });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`a process of render workers ended with ${code} before it was ready`);
  });
  await Promise.race([once(child, 'message'), ended]);
  // It ends when it is no longer needed.
  ended.catch(() => {});
  return child;
}

async function reportOf(child: ChildProcess): Promise<GpuRecord[]> {
  const answer = once(child, 'message');
  child.send('report');
  const [records] = await answer;
  return records as GpuRecord[];
}

async function ended(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.disconnect();
  await gone;
}
