import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { batchEnd, connect, reviewPageEnd, submitBatch, temporalTarget } from '../../client/index.ts';
import { SIZES, type Size } from '../../domain/size.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { WorkerProcess } from '../../tests/e2e/worker-process.ts';
import {
  countsBetween,
  type GpuRecord,
  type Look,
  looked,
  metricsUrl,
  type ServerCounts,
  serverCounts,
  shardPause,
} from './probes.ts';
import { type Rate, STEPS } from './rates.ts';

const LOOK_MS = 250;

/** Enough that event loops are not the limit on two cores, and few enough that idle processes cost next to nothing. */
const PROCESSES_AT_MOST = 2;

/** The bundle of all images. */
const BUNDLE = {
  name: 'simulated',
  digest: '0'.repeat(64),
  sizes: [...SIZES],
  defaults: { steps: 20, guidance: 4.5 },
};

/** What one process of render workers is to do. */
export type FleetPart = { address: string; bundle: typeof BUNDLE; rate: Rate; gpus: number };

export type BatchSize = {
  images: number;
  window: number;
  /** Of the window, what is queued when every slot is taken. */
  queued: number;
};

/** What the rig saw while a fleet made a batch. */
export type Run = { gpus: GpuRecord[]; looks: Look[]; counts: ServerCounts; shardPauseMs: number };

/** A server on its file and one orchestrator, each in its own process. */
export type FleetRig = {
  /** Makes a batch of images of the rate's size, with new render workers. */
  run(fleet: { rate: Rate; gpus: number }, batch: BatchSize): Promise<Run>;
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
    // Otherwise the review page would be written during the next run.
    await client.temporal.workflow
      .getHandle(end.result.sheetPage!)
      .terminate()
      .catch(() => undefined);
    await reviewPageEnd(client, end.result);
    return { counts, shardPauseMs: await shardPause(client, batch) };
  }

  return {
    async run({ rate, gpus }, batch) {
      const processes = await Promise.all(
        shares(gpus).map((share) => startPart({ address, bundle: BUNDLE, rate, gpus: share })),
      );
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

/** The number of GPUs of each process. */
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
  // From here on, its exit is expected.
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
