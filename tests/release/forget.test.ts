import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BatchClient, connect, type Forgotten, temporalTarget } from '../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { captionKey, encoderDigest, openBundle, promptReader } from '../../models/pixart/index.ts';
import { captionName, checkpointName } from '../../records/layout.ts';
import { runHere } from '../cli/run-here.ts';
import { expectCode, type Finished, jsonLines, startPixartBatch } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { createWorkplace, readManifest, type Workplace } from '../e2e/workplace.ts';
import { filesWith, historiesWith } from '../forgetting/words.ts';

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

let place: Workplace;
let server: TemporalServer;
let workers: WorkerProcess[] = [];
let client: BatchClient;

const environment = () => ({ ...place.environment, TEMPORAL_ADDRESS: server.address });
const here = (...args: string[]): Promise<Finished> => runHere(args, environment());
const forgotten = (finished: Finished): Forgotten => jsonLines(finished)[0] as Forgotten;

const HEADER = 'id,prompt,negative_prompt,customer,size,steps';
const ACME = ['zebra-mug,a zebra mug,wombat,acme,256,2', 'zebra-lamp,a zebra lamp,,acme,256,2'];
const OTHERS = ['red,a red chair,,other,256,2', 'blue,a blue chair,,other,256,2'];

async function submit(batch: string, file: string, rows: string[]): Promise<void> {
  const catalog = await place.catalog(file, [HEADER, ...rows].join('\n'));
  expectCode(0, await here('submit', catalog, '--batch', batch, '--wait'));
}

beforeAll(async () => {
  place = await createWorkplace();
  server = await startTemporalServer({ dbFile: path.join(place.folder, 'state', 'temporal.db'), ui: false });
  client = await connect(temporalTarget({ address: server.address }));
  const address = ['--address', server.address];
  workers = [
    new WorkerProcess(['--orchestrator', ...address]),
    new WorkerProcess(['--renderer', ...address, '--bundle', place.bundle, '--threads', '1', '--size', '256']),
  ];
  await workers[0]!.said('orchestrator ready');
  await workers[1]!.said('render worker ready');
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill('SIGTERM')));
  await client?.close();
  await server?.stop();
  await place.remove();
});

/** All of a store: names, sizes and times. */
async function snapshot(): Promise<string[]> {
  const entries = await readdir(place.store, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(files.sort().map(async (file) => `${file} ${(await stat(file)).mtimeMs}`));
}

/** Two rounds, a damaged copy, a checkpoint, and a later batch of the same catalog with a changed row. */
async function twoNights(): Promise<void> {
  await submit('spring', 'nightly.csv', [...ACME, ...OTHERS]);
  const [mug, lamp] = (await readManifest(place.store, 'spring')).images;
  const decisions = await place.catalog('no.csv', `id,render_key,decision\n${mug!.id},${mug!.renderKey},rejected`);
  expectCode(0, await here('retry', 'spring', '--rejected', decisions, '--wait'));
  const copy = path.join(place.store, lamp!.copy);
  const bytes = await readFile(copy);
  await writeFile(`${copy}.new`, bytes.subarray(0, bytes.length - 40));
  await rename(`${copy}.new`, copy);
  expectCode(0, await here('verify', 'spring', '--repair'));
  await submit('summer', 'nightly.csv', ['zebra-mug,a zebra cup,wombat,acme,256,2', ...OTHERS]);
  const scratch = path.join(place.store, checkpointName(mug!.renderKey));
  await mkdir(path.dirname(scratch), { recursive: true });
  await writeFile(scratch, 'half of a zebra');
  expect(await readdir(path.join(place.store, 'damaged/batches/spring'))).toHaveLength(1);
}

/** Where the captions of the customer's texts are kept. */
async function captions(): Promise<string[]> {
  const bundle = await openBundle(place.bundle);
  const encoder = encoderDigest(bundle.description);
  const { read } = await promptReader(bundle);
  const texts = ['a zebra mug', 'a zebra lamp', 'a zebra cup', 'wombat'];
  return texts.map((text) => path.join(place.store, captionName(encoder, captionKey(encoder, read(text).ids))));
}

const WORDS = ['zebra', 'wombat', 'acme'];
const everywhere = async () => (await Promise.all(WORDS.map((word) => filesWith(place.store, word)))).flat();
const onServer = async () => (await Promise.all(WORDS.map((word) => historiesWith(client, word)))).flat();

test('rows of a customer go from the store and the server, whenever the command is killed; other rows of the batches stay whole', async () => {
  await twoNights();
  // The control: they stand in all of these.
  const before = await everywhere();
  for (const kind of [
    'objects/',
    'batches/spring/_plan/1-',
    'batches/spring/_plan/2-',
    '_receipts/',
    '_catalog/',
    '_sheet/rows-',
  ]) {
    expect(before.join('\n')).toContain(kind);
  }
  for (const kind of [
    'manifest-1.csv',
    'manifest-2.jsonl',
    'manifest.json',
    'summer/changes.csv',
    'scratch/',
    'damaged/',
  ]) {
    expect(before.join('\n')).toContain(kind);
  }
  expect(await onServer()).toEqual(
    expect.arrayContaining(['batch/spring/1-0', 'batch/spring/2-0', 'batch/summer/1-0']),
  );

  const kept = await captions();
  expect(kept.filter(existsSync)).toEqual(kept);

  const whole = await snapshot();
  const dry = expectCode(0, await here('forget', '--where', 'customer=acme'));
  expect(dry.stdout).toMatch(
    /batch spring: 2 of 4 rows\nbatch summer: 1 of 3 rows\nwould go from .*: 4 images, 1 damaged file,/,
  );
  expect(dry.stdout).toContain('nothing has been changed');
  expect(await snapshot()).toEqual(whole);
  expect((await onServer()).length).toBeGreaterThan(0);

  const command = ['forget', '--where', 'customer=acme', '--yes', '--json'];
  const killed = startPixartBatch(command, environment());
  const pictures = async () => (await readdir(path.join(place.store, 'objects'))).length;
  const all = await pictures();
  while ((await pictures()) === all) await sleep(5);
  killed.signal('SIGKILL');
  await killed.finished;
  expect(await filesWith(path.join(place.store, 'batches/spring/_plan'), 'zebra')).not.toEqual([]);

  const done = forgotten(expectCode(0, await here(...command)));
  expect(done).toMatchObject({
    left: [],
    batches: [
      { batch: 'spring', rows: 2 },
      { batch: 'summer', rows: 1 },
    ],
  });
  expect(await everywhere()).toEqual([]);
  expect(kept.filter(existsSync)).toEqual([]);
  expect(await onServer()).toEqual([]);
  expect(expectCode(0, await here(...command)).stdout).toContain('"batches":[]');

  for (const batch of ['spring', 'summer']) {
    expect(expectCode(0, await here('verify', batch)).stdout).toContain('2 images, all as they were made');
    expectCode(0, await here('report', batch));
    expect((await readManifest(place.store, batch)).totals).toMatchObject({ jobs: 2, failed: 0, cancelled: 0 });
    expect(expectCode(2, await here('retry', batch, '--store', place.store)).stderr).toContain('nothing to retry');
    const page = await readFile(path.join(place.store, 'batches', batch, 'contact-sheet.html'), 'utf8');
    expect(page).toContain('"jobs":2');
    for (const [piece] of page.matchAll(/_sheet\/rows-\w+\.js/g)) {
      expect(await readFile(path.join(place.store, 'batches', batch, piece), 'utf8')).toContain('a red chair');
    }
  }
  const [red] = (await readManifest(place.store, 'spring')).images;
  const decisions = await place.catalog('red.csv', `id,render_key,decision\n${red!.id},${red!.renderKey},rejected`);
  expectCode(0, await here('retry', 'spring', '--store', place.store, '--rejected', decisions, '--wait'));
  expect(expectCode(0, await here('verify', 'spring')).stdout).toContain('2 images, all as they were made');
});

test('a whole batch goes, but for the picture that another one needs, which is told', async () => {
  await submit('autumn', 'autumn.csv', ['blue,a blue chair,,other,256,2', 'gnu,a gnu chair,,other,256,2']);
  expect((await filesWith(place.store, 'gnu')).length).toBeGreaterThan(5);
  const dry = expectCode(0, await here('forget', 'autumn'));
  expect(dry.stdout).toContain('batch autumn: all of it, 2 rows');
  expect(dry.stdout).toMatch(/stays: 1 image that batch (spring|summer) needs/);
  const done = forgotten(expectCode(0, await here('forget', 'autumn', '--yes', '--json')));
  expect(done).toMatchObject({ left: [], removed: { pictures: 1, copies: 2 } });
  expect(await filesWith(place.store, 'gnu')).toEqual([]);
  expect(await historiesWith(client, 'gnu')).toEqual([]);
  const named = await filesWith(place.store, 'autumn');
  expect(named.every((name) => name.startsWith('audit/'))).toBe(true);
  expect(expectCode(0, await here('verify', 'summer')).stdout).toContain('all as they were made');
  expect(expectCode(0, await here('forget', 'autumn', '--yes')).stdout).toMatch(/^nothing of batch autumn is in/);
});

test('a batch that runs is refused with what to do, and nothing of it is touched', async () => {
  const catalog = await place.catalog('long.csv', [HEADER, 'ibex,an ibex,,other,512,2'].join('\n'));
  expectCode(0, await here('submit', catalog, '--batch', 'winter'));
  const refused = expectCode(2, await here('forget', 'winter', '--yes'));
  expect(refused.stderr).toContain(
    'it is still running. Wait for its end, or stop it first: npx pixart-batch cancel winter --wait',
  );
  expect((await filesWith(place.store, 'ibex')).length).toBeGreaterThan(0);
  const elsewhere = expectCode(2, await here('forget', 'winter', '--store', path.join(place.folder, 'other')));
  expect(elsewhere.stderr).toMatch(/expected it in .*other, but the server says it is in .*out: name its store/);
  expectCode(0, await here('cancel', 'winter', '--wait'));
  expectCode(0, await here('forget', 'winter', '--yes'));
  expect(await filesWith(place.store, 'ibex')).toEqual([]);
});
