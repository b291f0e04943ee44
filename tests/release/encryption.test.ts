import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BatchClient, batchEnd, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { twoSizeBundle } from '../e2e/two-size-bundle.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { readManifest } from '../e2e/workplace.ts';
import { keyring, lineOf } from '../encryption/keys.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

const [key, another] = [lineOf('prompts'), lineOf('prompts')];
const { id } = keyring(key).current;

let folder: string;
let server: TemporalServer;
let client: BatchClient;
let bundle: string;
const workers: WorkerProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-keys-'));
  server = await startTemporalServer({ ui: false });
  client = await connect(temporalTarget({ address: server.address }), { keyring: keyring(key) });
  bundle = await twoSizeBundle(folder);
});

afterAll(async () => {
  await client?.close();
  await Promise.all(workers.map((worker) => worker.kill('SIGKILL')));
  await server?.stop();
  await rm(folder, { recursive: true });
});

function start(options: string[], keys: string): WorkerProcess {
  const worker = new WorkerProcess([...options, '--address', server.address], { PIXART_ENCRYPTION_KEYS: keys });
  workers.push(worker);
  return worker;
}

const renderer = (keys: string) => start(['--renderer', '--bundle', bundle, '--threads', '1'], keys);

async function said(worker: WorkerProcess, text: string): Promise<void> {
  while (!JSON.stringify(worker.lines).includes(text)) {
    if (worker.hasEnded) throw new Error(`ended before "${text}": ${JSON.stringify(worker.lines)}`);
    await sleep(100);
  }
}

const missing = (found: string): string => `expected encryption key ${JSON.stringify(id)}, found ${found}`;
const inJson = (text: string): string => JSON.stringify(text).slice(1, -1);

test('workers without the key of a batch take nothing from it, say which key they lack, and the batch waits for others', async () => {
  const keyless = { orchestrator: start(['--orchestrator'], ''), renderer: renderer('') };
  const strange = renderer(another);
  await keyless.orchestrator.said('orchestrator ready');
  await Promise.all([keyless.renderer, strange].map((worker) => worker.said('render worker ready')));

  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, 'prompt,size\na fox,256\nan owl,256\na bear,512\na wolf,512\n');
  const store = pathToFileURL(path.join(folder, 'out')).href;
  await submitBatch(client, { catalog, store, bundle: bundleRef(await openBundle(bundle)), batch: 'night' });
  await said(keyless.orchestrator, inJson(inJson(missing('no key'))));
  await keyless.orchestrator.kill('SIGTERM');

  const orchestrator = start(['--orchestrator'], key);
  await orchestrator.said('orchestrator ready');
  // Each takes an image, cannot read which, and ends.
  expect(await Promise.all([keyless.renderer.gone(), strange.gone()])).toEqual([2, 2]);
  await expectSaid(keyless.renderer, missing('no key'));
  await expectSaid(strange, missing(`only ${keyring(another).current.id}`));
  // Started again it does not even begin.
  const again = renderer('');
  expect(await again.gone()).toBe(2);
  await expectSaid(again, `running batch night: ${missing('no key')}`);

  await renderer(key).said('render worker ready');
  expect(await batchEnd(client, 'night')).toMatchObject({
    state: 'completed',
    result: { totals: { rendered: 4, failed: 0 } },
  });
  const { images } = await readManifest(path.join(folder, 'out'), 'night');
  expect(images.map(({ computations }) => computations)).toEqual([1, 1, 1, 1]);
});

const expectSaid = (worker: WorkerProcess, text: string): Promise<void> =>
  expect.poll(() => worker.lines.map(({ msg }) => msg).join('\n')).toContain(text);
