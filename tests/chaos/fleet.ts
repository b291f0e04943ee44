import { stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { KeptWorker } from './kept-worker.ts';
import type { Kill } from './kill-plan.ts';
import { BUNDLE, simulatedChildren } from './simulated-children.ts';

const ORCHESTRATORS = 2;
const RENDER_WORKERS = 3;
const LOOK_EVERY_MS = 20;

/** Processes that are all started again after they were killed. */
export type ChaosFleet = {
  address: string;
  /** Images that render workers have finished. */
  images(): number;
  /** Computations that renderers have begun, counted where they are made. */
  computations(): Promise<number>;
  /** Returns when the victim is dead; a server is alive again by then, on the same file. */
  kill(kill: Kill): Promise<void>;
  stop(): Promise<void>;
};

/** @param folder where the server keeps its file */
export async function startChaosFleet(folder: string): Promise<ChaosFleet> {
  const dbFile = path.join(folder, 'temporal.db');
  let server = await startTemporalServer({ dbFile, ui: false });
  const { address } = server;
  const port = Number(address.split(':').at(-1));
  const worker = (options: string[], environment = {}) =>
    new WorkerProcess([...options, '--address', address], environment);
  const computed = path.join(folder, 'computations');
  await writeFile(computed, '');
  const environment = await simulatedChildren({ computed });
  const orchestrators = times(
    ORCHESTRATORS,
    () => new KeptWorker(() => worker(['--orchestrator']), 'orchestrator ready'),
  );
  const renderer = ['--renderer', '--bundle', BUNDLE, '--checkpoint', '0'];
  const renderers = times(
    RENDER_WORKERS,
    () => new KeptWorker(() => worker(renderer, environment), 'render worker ready'),
  );
  const all = [...orchestrators, ...renderers];
  for (const worker of all) await until(() => worker.works);

  async function killServer(downMs: number): Promise<void> {
    process.kill(server.pid, 'SIGKILL');
    await sleep(downMs);
    server = await startTemporalServer({ dbFile, port, ui: false });
  }

  return {
    address,
    images: () => renderers.reduce((sum, { images }) => sum + images, 0),
    computations: async () => (await stat(computed)).size,
    async kill({ victim, which, downMs }) {
      if (victim === 'server') return killServer(downMs);
      if (victim === 'orchestrator') return (await oneOf(orchestrators, which, ({ works }) => works)).kill();
      if (victim === 'worker') return (await oneOf(renderers, which, ({ works }) => works)).kill();
      return (await oneOf(renderers, which, ({ hasChild }) => hasChild)).killChild();
    },
    async stop() {
      await Promise.all(all.map((worker) => worker.stop()));
      await server.stop();
    },
  };
}

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

/** Waits until some of the workers can be taken, and takes one. */
async function oneOf(
  workers: KeptWorker[],
  which: number,
  canBe: (worker: KeptWorker) => boolean,
): Promise<KeptWorker> {
  await until(() => workers.some(canBe));
  const candidates = workers.filter(canBe);
  return candidates[which % candidates.length]!;
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(LOOK_EVERY_MS);
}
