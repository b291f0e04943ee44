import { readdir, utimes } from 'node:fs/promises';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import {
  type BatchClient,
  type CleanResult,
  connect,
  retryBatch,
  submitBatch,
  temporalTarget,
  verifyBatch,
} from '../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { batchFolder, removalName } from '../../records/layout.ts';
import { beginRemoval } from '../../records/removal.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { folderStore } from '../activities/rendering.ts';
import { BUNDLE } from '../chaos/simulated-children.ts';
import { DAY_MS, names, objectOf, sampleBatch } from '../cleaning/sample-batch.ts';
import { jsonLines } from '../e2e/command-line.ts';
import { SLOW_MS } from '../store/contract/helpers.ts';
import { startFaultyNetwork } from '../store/faulty-network.ts';
import { retentionPolicy } from '../store/retention-policy.ts';
import { useBucket } from '../store/use-bucket.ts';
import { runHere } from './run-here.ts';

/** Nothing listens there. */
const NOWHERE = '127.0.0.1:1';
const OLD = ['--batches-older-than', '90d'];

const bucket = useBucket();

let server: TemporalServer;
let client: BatchClient;

beforeAll(async () => {
  server = await startTemporalServer({ ui: false });
  client = await connect(temporalTarget({ address: server.address }));
});

afterAll(async () => {
  await client.close();
  await server.stop();
});

async function makeOld(store: ObjectStore, prefix = ''): Promise<void> {
  const then = (Date.now() - 100 * DAY_MS) / 1_000;
  for (const name of await names(store, prefix)) await utimes(new URL(`${store.url}/${name}`), then, then);
}

const clean = (store: ObjectStore, ...args: string[]) => runHere(['clean', '--store', store.url, ...args]);

const asked = (store: ObjectStore, ...args: string[]) => clean(store, '--address', server.address, ...args);

test('clean shows what would go; with --yes it removes it and writes audit lines', async () => {
  const store = await folderStore();
  await sampleBatch(store, 'old', ['fox', 'owl']);
  await sampleBatch(store, 'spring-1', ['owl']);
  await makeOld(store);
  const before = await names(store);
  const args = [...OLD, '--keep', 'spring-*'];
  const dry = await asked(store, ...args);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toMatch(/^ +files to remove +size\nbatches +11 +[\d.]+ kB\nobjects +1 +11 bytes\n/);
  expect(dry.stdout).toMatch(/\nbatches to remove:\n {2}old, last written to at [-\d]+ [:\d]+, 11 files, [\d.]+ kB\n/);
  expect(dry.stdout).toContain('old enough, but kept:\n  spring-1: named by --keep\nnothing was removed;');
  expect(await names(store)).toEqual(before);
  const done = await asked(store, ...args, '--yes', '--json');
  const [result] = jsonLines(done) as [CleanResult];
  expect(result).toMatchObject({ removed: true, asked: server.address, batches: [{ batch: 'old', files: 11 }] });
  expect(await names(store, batchFolder('old'))).toEqual([]);
  const [day] = await readdir(new URL(`${store.url}/audit`));
  const lines = await names(store, `audit/${day}/`);
  const read = async (name: string) => JSON.parse(Buffer.from(await store.read(name)).toString());
  expect(await read(lines[0]!)).toMatchObject({ action: 'clean', details: { batchesOlderThanMs: 90 * DAY_MS } });
  expect(await read(lines[1]!)).toMatchObject({ outcome: 'done', details: { batchNames: 'old', objectsFiles: 1 } });
});

test('a running batch is kept, however old its files are, and removed once the server says it has ended', async () => {
  const store = await folderStore();
  await store.create('catalog.csv', Buffer.from('prompt\nfox\n'), 'text/csv');
  const bundle = bundleRef(await openBundle(BUNDLE));
  await submitBatch(client, { batch: 'waiting', catalog: `${store.url}/catalog.csv`, store: store.url, bundle });
  await makeOld(store);
  const before = await asked(store, ...OLD, '--yes');
  expect(before).toMatchObject({ code: 0, stdout: expect.stringMatching(/kept:\n {2}waiting: it is \w+\n/) });
  await client.temporal.workflow.getHandle(batchWorkflowId('waiting')).terminate();
  expect((await asked(store, ...OLD, '--yes')).stdout).toContain('batches removed:\n  waiting,');
  expect(await names(store, batchFolder('waiting'))).toEqual([]);
});

test('a batch whose last round has no manifest is kept and reported if no server knows it; a named server has to answer', async () => {
  const store = await folderStore();
  await sampleBatch(store, 'ended', ['fox']);
  await sampleBatch(store, 'open', ['owl'], { hasEnded: false });
  await makeOld(store);
  const named = await clean(store, ...OLD, '--yes', '--address', NOWHERE);
  expect(named).toMatchObject({ code: 4, stderr: expect.stringContaining(`no Temporal server answers at ${NOWHERE}`) });
  const unknown = await asked(store, ...OLD);
  expect(unknown.stdout).toContain('open: its last round has no manifest, and no server says that it has ended');
  expect(unknown.stdout).toContain('batches to remove:\n  ended,');
});

test('--keep-last keeps the newest batches of each catalog, and batches of unknown catalogs', async () => {
  const store = await folderStore();
  for (const batch of ['a-1', 'a-2', 'a-3']) await sampleBatch(store, batch, ['fox'], { catalog: 'file:///a.csv' });
  await sampleBatch(store, 'b-1', ['fox'], { catalog: 'file:///b.csv' });
  await sampleBatch(store, 'early', ['fox']);
  await store.remove('batches/early/_rounds/1.json');
  await makeOld(store);
  for (const [at, batch] of ['a-3', 'a-1', 'a-2'].entries()) {
    const then = (Date.now() - (95 - at) * DAY_MS) / 1_000;
    await utimes(new URL(`${store.url}/batches/${batch}/manifest.json`), then, then);
  }
  const [{ batches, kept }] = jsonLines(await asked(store, ...OLD, '--keep-last', '1', '--json')) as [CleanResult];
  expect(batches.map(({ batch }) => batch)).toEqual(['a-1', 'a-3']);
  expect(kept.map(({ batch }) => batch)).toEqual(['a-2', 'b-1', 'early']);
  expect(kept.at(-1)!.why).toContain('its catalog is unknown');
});

test('if a record is damaged, no object is removed, and clean exits with code 3 and names the record', async () => {
  const store = await folderStore();
  await sampleBatch(store, 'young', ['fox']);
  await store.replace('batches/young/_plan/1-00000.jsonl', Buffer.from('{"id'), 'application/x-ndjson');
  const { code, stdout } = await clean(store);
  expect(code).toBe(3);
  expect(stdout).toContain('objects were not checked: batches/young/_plan/1-00000.jsonl in');
});

test.each([
  [['--keep', 'x'], /--batches-older-than 90d too/],
  [['--keep-last', '2'], /--batches-older-than 90d too/],
  [['--objects-unused-for', '1h'], /at least 2 days/],
  [['--batches-older-than', 'long'], /Expected a time such as/],
])('%j is refused', async (args, message) => {
  const { code, stderr } = await clean(await folderStore(), ...args);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
});

test('a batch that is being removed can be neither retried nor submitted again, and the error says what to do', async () => {
  const store = await folderStore();
  await sampleBatch(store, 'going', ['fox']);
  await beginRemoval(store, 'going', 'clean');
  const retry = retryBatch(client, 'going', { store: store.url, again: ['fox'] });
  await expect(retry).rejects.toThrow(/batch going is being removed .*clean --store .* --yes/);
  const bundle = bundleRef(await openBundle(BUNDLE));
  await store.create('catalog.csv', Buffer.from('prompt\nfox\n'), 'text/csv');
  const request = { batch: 'going', catalog: `${store.url}/catalog.csv`, store: store.url, bundle };
  await expect(submitBatch(client, request)).rejects.toThrow(/batch going is being removed/);
  await beginRemoval(store, 'going', 'forget');
  await expect(submitBatch(client, request)).rejects.toThrow(
    /batch going is being forgotten .*finish that with "npx pixart-batch forget going --store .* --yes"/,
  );
});

test('files under a retention policy are reported with exit code 3, the rest is removed, and needed files stay intact', {
  timeout: SLOW_MS,
}, async () => {
  const url = bucket.freshUrl();
  // Old enough for the retention policy to allow deletion.
  const before = await openStore(url);
  await sampleBatch(before, 'free', ['fox', 'owl']);
  await before.create(objectOf('nobody-1'), Buffer.from('free'), 'image/png');
  const network = await startFaultyNetwork(bucket.endpoint(), retentionPolicy(DAY_MS));
  onTestFinished(() => network.stop());
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  onTestFinished(() => void vi.stubEnv('STORAGE_EMULATOR_HOST', bucket.endpoint()));
  const store = await openStore(`${url}/`);
  await sampleBatch(store, 'kept', ['hen', 'elk']);
  await store.create(objectOf('nobody-2'), Buffer.from('kept'), 'image/png');
  bucket.age(100 * DAY_MS);
  await sampleBatch(store, 'young', ['owl', 'cat']);

  const cleaned = await asked(store, ...OLD, '--yes', '--json');
  expect(cleaned.code, cleaned.stderr).toBe(3);
  const [{ batches, kept, counts }] = jsonLines(cleaned) as [CleanResult];
  expect(batches.map(({ batch }) => batch)).toEqual(['free']);
  expect(kept).toMatchObject([
    { batch: 'kept', why: expect.stringMatching(/^the store keeps 2 of its files: a retention/) },
  ]);
  expect(counts.objects).toMatchObject({
    files: 2,
    kept: 1,
    keptWhy: expect.stringContaining('a retention policy keeps'),
  });
  // The notes of removals are new, so the policy keeps them too.
  expect(counts.batches.kept).toBe(3);
  expect(await names(store, batchFolder('free'))).toEqual([removalName('free')]);
  const objects = ['owl', 'hen', 'elk', 'nobody-2', 'cat'].map(objectOf);
  expect(await names(store, 'objects/')).toEqual(objects.sort());
  for (const batch of ['kept', 'young']) {
    expect(await verifyBatch(batch, { store: store.url })).toMatchObject({ images: 2, differences: [] });
  }

  const again = await asked(store, ...OLD, '--yes');
  expect(again.code).toBe(3);
  expect(again.stdout).toMatch(
    /kept:\n {2}kept: the store keeps 2 of its files: a retention policy keeps what is there/,
  );
  expect(again.stdout).toMatch(/\nobjects: the store refuses to delete 1 file: a retention policy keeps what is there/);

  // The retention policy no longer holds any file.
  const { code: last, stdout: said } = await asked(before, ...OLD, '--yes');
  expect(last, said).toBe(0);
  for (const batch of ['free', 'kept']) expect(await names(before, batchFolder(batch))).toEqual([]);
  expect(await names(before, 'objects/')).toEqual(['owl', 'cat'].map(objectOf).sort());
});
