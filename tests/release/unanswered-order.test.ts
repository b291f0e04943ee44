import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  type BatchClient,
  batchProgress,
  connect,
  controlBatch,
  NoOrchestrator,
  submitBatch,
  temporalTarget,
} from '../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { BUNDLE } from '../chaos/simulated-children.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';

vi.setConfig({ testTimeout: 300_000 });

let folder: string;
let server: TemporalServer;
let client: BatchClient;
let orchestrator: WorkerProcess;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-unanswered-'));
  server = await startTemporalServer({ ui: false });
  client = await connect(temporalTarget({ address: server.address }));
  await startOrchestrator();
});

afterAll(async () => {
  await orchestrator?.kill('SIGTERM');
  await client?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function startOrchestrator(): Promise<void> {
  orchestrator = new WorkerProcess(['--orchestrator', '--address', server.address]);
  await orchestrator.said('orchestrator ready');
}

test('where no orchestrator answers, all that ask are told so, and an order is carried out by the next one, as its error says', async () => {
  const catalog = path.join(folder, 'foxes.csv');
  await writeFile(catalog, 'prompt\na fox\n');
  const bundle = bundleRef(await openBundle(BUNDLE));
  await submitBatch(client, { catalog, store: pathToFileURL(path.join(folder, 'out')).href, bundle, batch: 'foxes' });
  const soon = { timeout: 60_000 };
  await expect.poll(async () => (await batchProgress(client, 'foxes')).state, soon).toBe('rendering');

  await orchestrator.kill('SIGKILL');
  const order = controlBatch(client, 'foxes', { kind: 'pause' });
  // More than the server holds for one answer.
  const asked = Array.from({ length: 4 }, () => batchProgress(client, 'foxes'));
  await Promise.all([order, ...asked].map((answer) => expect(answer).rejects.toThrow(NoOrchestrator)));
  await expect(order).rejects.toThrow(/the server keeps the command/);

  await startOrchestrator();
  await expect.poll(async () => (await batchProgress(client, 'foxes')).paused, soon).toBe('a person paused it');
  await expect(controlBatch(client, 'foxes', { kind: 'pause' })).rejects.toThrow('it is paused already');
});
