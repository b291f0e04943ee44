import { afterEach, expect, test, vi } from 'vitest';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

vi.setConfig({ testTimeout: 180_000 });

let server: TemporalServer | undefined;
let worker: WorkerProcess | undefined;

afterEach(async () => {
  if (worker?.hasEnded === false) await worker.kill('SIGKILL');
  await server?.stop();
});

const startWorker = (address: string, ...options: string[]): WorkerProcess => {
  worker = new WorkerProcess(['--orchestrator', '--address', address, ...options]);
  return worker;
};

test('a worker says when its server is away, and ends when another one comes to its address', async () => {
  server = await startTemporalServer({ ui: false });
  const { address, namespaceId } = server;
  const first = startWorker(address);
  await first.said('orchestrator ready');
  await server.stop();
  await first.said('the Temporal server does not answer');

  server = await startTemporalServer({ ui: false, port: Number(address.split(':')[1]) });
  expect(server.namespaceId).not.toBe(namespaceId);
  expect(await first.gone()).toBe(4);
  expect(first.lines.map(({ msg }) => msg).join('\n')).toMatch(
    new RegExp(
      `${address}: expected the Temporal server that this worker was started for .*id ${namespaceId}.*${server.namespaceId}`,
    ),
  );

  // Whoever starts a worker can say which one is meant.
  const refused = startWorker(address, '--namespace-id', namespaceId);
  expect(await refused.gone()).toBe(4);
  expect(refused.lines.some(({ msg }) => msg === 'orchestrator ready')).toBe(false);
});
