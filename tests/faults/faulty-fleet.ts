import { mkdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type BatchClient, connect, temporalTarget } from '../../client/index.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { BUNDLE, simulatedChildren } from '../chaos/simulated-children.ts';
import type { Role } from './cells.ts';
import { FaultyWorker } from './faulty-worker.ts';
import { type Receiver, startReceiver } from './receiver.ts';

/** A Temporal server and a worker of each kind, in processes of their own; only what renderer children compute is simulated. */
export type FaultyFleet = {
  client: BatchClient;
  receiver: Receiver;
  folder: string;
  worker(role: Role): FaultyWorker;
  /** Images that renderers have begun, by their own account. */
  computations(): Promise<number>;
  /** What the workers have logged, a line each. */
  said(): string;
  stop(): Promise<void>;
};

export type FaultyFleetOptions = {
  /** Of the bucket emulator. */
  bucket: string;
  /** Gone when the caller removes it. */
  folder: string;
  /** Whether the processes' clocks can be moved; needs libfaketime. */
  hasClock?: boolean;
};

export async function startFaultyFleet({ bucket, folder, hasClock = false }: FaultyFleetOptions) {
  await mkdir(folder, { recursive: true });
  const computed = path.join(folder, 'computed');
  await writeFile(computed, '');
  const simulated = await simulatedChildren({ computed });
  const receiver = await startReceiver();
  const server = await startTemporalServer({ ui: false });
  const { address } = server;
  const serve = (role: Role, ready: string, own: string[], environment: NodeJS.ProcessEnv) =>
    FaultyWorker.start({
      ...{ role, ready, environment, folder, bucket, hasClock },
      options: [...own, '--address', address, '--allow', tmpdir()],
    });
  const workers = await Promise.all([
    serve('orchestrator', 'orchestrator ready', ['--orchestrator', '--allow', receiver.url], {
      PIXART_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
    }),
    serve('encoder', 'encode worker ready', ['--encoder', '--bundle', BUNDLE], simulated),
    serve(
      'painter',
      'render worker ready',
      ['--renderer', '--without-text-encoder', '--bundle', BUNDLE, '--checkpoint', '0'],
      simulated,
    ),
  ]);
  // Told to stop, they would first finish what they have in hand.
  const abandon = (): void => {
    for (const worker of workers) void worker.process.kill();
  };
  process.prependOnceListener('exit', abandon);
  for (const { process } of workers) while (!process.works) await sleep(50);
  const client = await connect(temporalTarget({ address }));
  const fleet: FaultyFleet = {
    client,
    receiver,
    folder,
    worker: (role) => workers.find((worker) => worker.role === role)!,
    computations: async () => (await stat(computed)).size,
    said: () =>
      workers
        .flatMap(({ role, process }) => process.lines.map((line) => `${JSON.stringify({ role, ...line })}\n`))
        .join(''),
    async stop() {
      process.removeListener('exit', abandon);
      await client.close();
      await Promise.all(workers.map((worker) => worker.stop()));
      await Promise.all([receiver.stop(), server.stop()]);
    },
  };
  return fleet;
}
