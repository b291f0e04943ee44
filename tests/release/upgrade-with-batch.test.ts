import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { batchProgress, cancelBatch, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { serverFile } from '../../infra/dev/temporal-program.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { openStore } from '../../store/index.ts';
import { BUNDLE, simulatedChildren } from '../chaos/simulated-children.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { objectsOf, readManifest } from '../e2e/workplace.ts';
import { ifThere } from '../set-up.ts';

vi.setConfig({ testTimeout: 600_000 });

const programs = await ifThere('Tests that need both servers are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);

const JOBS = 12;

let folder: string;
let computed: string;
let server: TemporalServer | undefined;
let workers: WorkerProcess[];

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-upgrade-batch-'));
  computed = path.join(folder, 'computed');
  await writeFile(computed, '');
  workers = [];
});

afterEach(async () => {
  await stop();
  await rm(folder, { recursive: true, force: true });
});

async function start(binary?: string): Promise<string> {
  server = await startTemporalServer({ ui: false, dbFile: serverFile(folder), ...(binary && { binary }) });
  const { address } = server;
  const environment = await simulatedChildren({ computed, stepMs: 100 });
  workers = [
    new WorkerProcess(['--orchestrator', '--address', address]),
    new WorkerProcess(['--renderer', '--bundle', BUNDLE, '--address', address, '--grace', '5'], environment),
  ];
  await workers[0]!.said('orchestrator ready');
  await workers[1]!.said('render worker ready');
  return address;
}

async function stop(): Promise<void> {
  await Promise.all(workers.splice(0).map((worker) => worker.kill('SIGTERM')));
  await server?.stop();
  server = undefined;
}

const version = async (address: string): Promise<string> => {
  const client = await connect(temporalTarget({ address }));
  const { serverVersion } = await client.temporal.workflowService.getSystemInfo({});
  await client.close();
  return serverVersion ?? '';
};

describe.skipIf(programs === null)('a batch that runs when its server is to be upgraded', () => {
  test('holds the upgrade up, and is completed on the new server from where it was cancelled', async () => {
    const before = await start(programs![0]);
    expect(await version(before)).toMatch(/^1\.29\./);
    const client = await connect(temporalTarget({ address: before }));
    const url = pathToFileURL(path.join(folder, 'out')).href;
    const catalog = path.join(folder, 'foxes.csv');
    await writeFile(catalog, ['prompt,steps', ...Array.from({ length: JOBS }, (_, i) => `fox ${i},10`)].join('\n'));
    const bundle = bundleRef(await openBundle(BUNDLE));
    await submitBatch(client, { catalog, store: url, bundle, batch: 'running', window: 2 });
    const rendered = async () => (await batchProgress(client, 'running')).totals.rendered;
    await expect.poll(rendered, { timeout: 120_000 }).toBeGreaterThan(0);

    await stop();
    const upgrade = () => runHere(['upgrade-server', '--state', folder], {});
    expect(expectCode(EXIT.badInput, await upgrade()).stderr).toMatch(/still running: .*running/);

    const again = await start();
    expect(await version(again)).toMatch(/^1\.29\./);
    const sameServer = await connect(temporalTarget({ address: again }));
    await cancelBatch(sameServer, 'running');
    expectCode(3, await runHere(['watch', 'running'], { TEMPORAL_ADDRESS: again }));
    await sameServer.close();
    await client.close();
    await stop();
    expectCode(EXIT.ok, await upgrade());

    const after = await start();
    expect(await version(after)).toMatch(/^1\.32\./);
    const made = (await stat(computed)).size;
    const retry = ['retry', 'running', '--store', url, '--bundle', BUNDLE, '--wait'];
    expectCode(EXIT.ok, await runHere(retry, { TEMPORAL_ADDRESS: after }));
    const out = path.join(folder, 'out');
    const { images, failures } = await readManifest(out, 'running');
    expect(failures).toEqual([]);
    expect(images).toHaveLength(JOBS);
    const store = await openStore(url);
    for (const { copy, crc32c } of images) expect(await store.stat(copy)).toMatchObject({ crc32c });
    expect(await objectsOf(out)).toHaveLength(JOBS);
    // What was in hand when the fleet was stopped and the batch cancelled may have been begun twice, and nothing else.
    expect(made).toBeLessThan(JOBS + 4);
    expect((await stat(computed)).size - JOBS).toBeLessThanOrEqual(4);
  });
});
