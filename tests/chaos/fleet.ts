import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { KeptWorker } from './kept-worker.ts';
import type { Kill } from './kill-plan.ts';

/** Real graphs with random weights: an image is a few hundredths of a second a step, and has checkpoints and a child as any other. */
export const BUNDLE = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

const ORCHESTRATORS = 2;
const RENDER_WORKERS = 3;
const LOOK_EVERY_MS = 20;

/** Processes that are all started again after they were killed. */
export type ChaosFleet = {
  address: string;
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
  const workers = (count: number, options: string[], ready: string): KeptWorker[] =>
    Array.from({ length: count }, () => new KeptWorker([...options, '--address', address], ready));
  const orchestrators = workers(ORCHESTRATORS, ['--orchestrator'], 'orchestrator ready');
  const renderers = workers(
    RENDER_WORKERS,
    ['--renderer', '--bundle', BUNDLE, '--threads', '1', '--checkpoint', '0'],
    'render worker ready',
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
