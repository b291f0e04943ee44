import { readFile, rename } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { createWorkplace, imagesOf, objectsOf, readManifest, type Workplace } from '../e2e/workplace.ts';
import { type EarlierVersion, earlierVersion } from './earlier-version.ts';

// Whole fleets of two versions: on a busy machine each takes its time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

/** The last commit before rooms, contracts and stage times were rebuilt. */
const EARLIER = 'eceba92';

const things = (adjective: string): string =>
  ['id,prompt', ...['mug', 'lamp', 'chair', 'kettle'].map((thing) => `${thing},a ${adjective} ${thing}`)].join('\n');

/** Two that are quickly there, and three that outlive a change of workers. */
const long = [
  'id,prompt,size,steps',
  ...['quick-1', 'quick-2'].map((id) => `${id},${id},256,1`),
  ...Array.from({ length: 3 }, (_, i) => `long-${i},number ${i},512,100`),
].join('\n');

let place: Workplace;
let earlier: EarlierVersion;
let server: TemporalServer;
let workers: WorkerProcess[] = [];

beforeAll(async () => {
  place = await createWorkplace();
  earlier = await earlierVersion(EARLIER);
  await startServer();
});

afterAll(async () => {
  await stopWorkers();
  await server?.stop();
  await place.remove();
});

async function startServer(): Promise<void> {
  server = await startTemporalServer({ dbFile: path.join(place.folder, 'temporal.db'), ui: false });
}

const environment = (): NodeJS.ProcessEnv => ({ ...place.environment, TEMPORAL_ADDRESS: server.address });
const before = (...args: string[]): Promise<Finished> => earlier.run(args, environment());
const now = (...args: string[]): Promise<Finished> => runHere(args, environment());

type Start = (options: string[]) => WorkerProcess;

async function startOrchestrator(start: Start): Promise<WorkerProcess> {
  const orchestrator = start(['--orchestrator', '--address', server.address]);
  workers.push(orchestrator);
  await orchestrator.said('orchestrator ready');
  return orchestrator;
}

async function startRenderer(start: Start): Promise<WorkerProcess> {
  const options = ['--bundle', place.bundle, '--threads', '1', '--grace', '1', '--checkpoint', '0'];
  const renderer = start(['--renderer', '--address', server.address, ...options]);
  workers.push(renderer);
  await renderer.said('render worker ready');
  return renderer;
}

const startWorkers = (start: Start): Promise<unknown> => Promise.all([startOrchestrator(start), startRenderer(start)]);

const ofEarlier: Start = (options) => earlier.worker(options);
const ofNow: Start = (options) => new WorkerProcess(options);

async function stopWorkers(): Promise<void> {
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  workers = [];
}

/** Until the quick images of a batch are there. */
async function untilBegun(batch: string): Promise<void> {
  for (;;) {
    const [status] = jsonLines(expectCode(0, await now('status', batch, '--json'))) as [Status];
    if ((status.progress?.totals.rendered ?? 0) >= 2) return;
  }
}

/** Until the batch's plan is whole. */
async function untilPlanned(batch: string): Promise<void> {
  for (;;) {
    const [status] = jsonLines(expectCode(0, await before('status', batch, '--json'))) as [Status];
    if ((status.progress?.totals.jobs ?? 0) > 0) return;
  }
}

type Status = { progress?: { totals: { jobs: number; rendered: number } } };

test('what an earlier version left is taken over: its store, the server’s database, a schedule and a batch that runs', async () => {
  const catalog = await place.catalog('things.csv', things('red'));
  await startWorkers(ofEarlier);
  expectCode(0, await before('submit', catalog, '--batch', 'first', '--wait'));
  expectCode(0, await before('schedule', 'create', 'nightly', catalog, '--cron', '0 3 1 1 *'));
  expectCode(0, await before('submit', await place.catalog('long.csv', long), '--batch', 'running'));
  await untilBegun('running');
  await stopWorkers();
  await server.stop();

  await startServer();
  await startWorkers(ofNow);
  expectCode(0, await now('watch', 'running'));
  expect(await readManifest(place.store, 'running')).toMatchObject({ totals: { jobs: 5, rendered: 5 }, failures: [] });
  expect(await imagesOf(place.store, 'running')).toHaveLength(5);
  expect(await objectsOf(place.store)).toHaveLength(9);

  const again = expectCode(0, await now('submit', catalog, '--batch', 'again', '--wait', '--json'));
  expect(jsonLines(again).at(-1)).toMatchObject({ totals: { jobs: 4, rendered: 0, reused: 4 } });
  for (const batch of ['first', 'running']) {
    const [report] = jsonLines(expectCode(0, await now('report', batch, '--json')));
    expect(report).toMatchObject({ batch, failures: [] });
    const { sizes } = report as { sizes: { deviceSeconds: number }[] };
    for (const { deviceSeconds } of sizes) expect(deviceSeconds).toBeGreaterThan(0);
  }

  expect(jsonLines(await now('schedule', 'list', '--json'))).toMatchObject([{ name: 'nightly' }]);
  expectCode(0, await now('schedule', 'trigger', 'nightly'));
  const batch = await batchOfSchedule('nightly');
  const ended = expectCode(0, await now('watch', batch, '--json'));
  expect(jsonLines(ended).at(-1)).toMatchObject({ totals: { jobs: 4, reused: 4 } });
});

test('a batch of an earlier version is retried by this one, from the receipts that it has', async () => {
  const { images } = await readManifest(place.store, 'first');
  const { id, renderKey } = images[0]!;
  const decisions = await place.catalog('decisions.csv', `id,render_key,decision\n${id},${renderKey},rejected`);
  const retried = expectCode(0, await now('retry', 'first', '--rejected', decisions, '--wait', '--json'));
  expect(jsonLines(retried).at(-1)).toMatchObject({ totals: { jobs: 4, rendered: 4, failed: 0 } });
  const made = (await readManifest(place.store, 'first')).images.find((image) => image.id === id)!;
  expect(made.renderKey).not.toBe(renderKey);
  expect(await readFile(path.join(place.store, made.copy))).toHaveLength(made.bytes);
});

test('a batch of an earlier version is retried by this one on a server that knows nothing of it', async () => {
  const catalog = await place.catalog('forgotten.csv', things('grey'));
  await stopWorkers();
  const orchestrator = await startOrchestrator(ofEarlier);
  expectCode(0, await before('submit', catalog, '--batch', 'forgotten', '--image-format', 'webp'));
  await untilPlanned('forgotten');
  expectCode(0, await before('cancel', 'forgotten'));
  expectCode(3, await before('watch', 'forgotten'));
  await orchestrator.kill('SIGTERM');
  await server.stop();

  const knownFile = path.join(place.folder, 'temporal.db');
  await rename(knownFile, `${knownFile}.known`);
  await startServer();
  await startWorkers(ofNow);
  const corrected = ['--catalog', await place.catalog('corrected.csv', 'id,prompt\nmug,a blue mug')];
  const other = await now('retry', 'forgotten', '--bundle', 'pixart-icons');
  expect(expectCode(2, other).stderr).toContain('found pixart-icons (');
  const retried = expectCode(
    0,
    await now('retry', 'forgotten', '--bundle', place.bundle, ...corrected, '--wait', '--json'),
  );
  expect(jsonLines(retried)[0]).toMatchObject({ round: 2, missing: 4, corrected: 1, from: 'plan' });
  const { images } = await readManifest(place.store, 'forgotten');
  expect(images.map(({ id, prompt, copy }) => [id, prompt, copy])).toEqual(
    ['mug', 'lamp', 'chair', 'kettle'].map((thing) => [
      ...[thing, `a ${thing === 'mug' ? 'blue' : 'grey'} ${thing}`],
      `batches/forgotten/${thing}.webp`,
    ]),
  );

  await stopWorkers();
  await server.stop();
  await rename(`${knownFile}.known`, knownFile);
  await startServer();
});

test('restarted as documented, orchestrators before renderers, a fleet serves commands of the earlier version all the time', async () => {
  await stopWorkers();
  await startOrchestrator(ofNow);
  const earlierRenderer = await startRenderer(ofEarlier);
  const submit = async (batch: string, adjective: string) => {
    const catalog = await place.catalog(`${batch}.csv`, things(adjective));
    expectCode(0, await before('submit', catalog, '--batch', batch, '--wait'));
    return (await readManifest(place.store, batch)).images.map(({ timings }) => timings);
  };
  const half = await submit('half', 'green');
  await earlierRenderer.kill('SIGTERM');
  await startRenderer(ofNow);
  const whole = await submit('whole', 'blue');
  for (const { textEncodeMs } of [...half, ...whole]) expect(textEncodeMs).toBeGreaterThan(0);
  expect(half.map(({ imageEncodeMs }) => imageEncodeMs)).toEqual(half.map(() => undefined));
  for (const { imageEncodeMs } of whole) expect(imageEncodeMs).toBeGreaterThan(0);
});

test('in the other order a batch fails when its manifest is written, and finds its images when it is submitted again', async () => {
  await stopWorkers();
  await startOrchestrator(ofEarlier);
  await startRenderer(ofNow);
  const catalog = await place.catalog('order.csv', things('yellow'));
  expect((await before('submit', catalog, '--batch', 'order', '--wait')).code).not.toBe(0);
  expect(await imagesOf(place.store, 'order')).toHaveLength(4);
  await stopWorkers();
  await startWorkers(ofNow);
  const anew = expectCode(0, await now('submit', catalog, '--batch', 'anew', '--wait', '--json'));
  expect(jsonLines(anew).at(-1)).toMatchObject({ totals: { jobs: 4, rendered: 0, reused: 4 } });
});

test('render workers of both versions serve one batch at once, and each picture is what this version alone makes', async () => {
  await stopWorkers();
  await startOrchestrator(ofNow);
  const [old, young] = await Promise.all([startRenderer(ofEarlier), startRenderer(ofNow)]);
  const rows = Array.from({ length: 12 }, (_, i) => `fox-${i},fox number ${i},256,10`);
  const catalog = await place.catalog('mixed.csv', ['id,prompt,size,steps', ...rows].join('\n'));
  expectCode(0, await now('submit', catalog, '--batch', 'mixed', '--window', '4', '--wait'));
  const { totals, failures } = await readManifest(place.store, 'mixed');
  expect(totals).toMatchObject({ jobs: 12, rendered: 12, extraComputations: 0 });
  expect(failures).toEqual([]);
  for (const worker of [old, young]) expect(imagesBy(worker)).toBeGreaterThan(0);
  expect(imagesBy(old) + imagesBy(young)).toBe(12);

  await old.kill('SIGTERM');
  const alone = path.join(place.folder, 'alone');
  expectCode(0, await now('submit', catalog, '--batch', 'alone', '--store', alone, '--wait'));
  const names = await imagesOf(alone, 'alone');
  expect(names).toHaveLength(12);
  for (const name of names) {
    expect(await pixels(place.store, 'mixed', name), name).toEqual(await pixels(alone, 'alone', name));
  }
});

const imagesBy = ({ lines }: WorkerProcess): number => lines.filter(({ msg }) => msg === 'image rendered').length;

const pixels = (store: string, batch: string, name: string): Promise<Buffer> =>
  sharp(path.join(store, 'batches', batch, name))
    .raw()
    .toBuffer();

async function batchOfSchedule(name: string): Promise<string> {
  for (;;) {
    const listed = jsonLines(expectCode(0, await now('list', '--json'))) as { batch: string }[];
    const found = listed.find(({ batch }) => batch.startsWith(`${name}-`));
    if (found) return found.batch;
  }
}
