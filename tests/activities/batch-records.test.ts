import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import { createWriteReceipts } from '../../activities/write-receipts.ts';
import type { Job } from '../../domain/job.ts';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import type { Timings } from '../../domain/timings.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { latestBatchName, manifestName, ratesName } from '../../records/layout.ts';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { deviceSeconds } from '../../records/manifest-table.ts';
import { encodeOutcomes, readJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore, shownPlace } from '../../store/index.ts';
import type { BatchInput } from '../../workflows/contract/batch.ts';
import { anywhere } from '../anywhere.ts';

const bundle = { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };
const planBatch = createPlanBatch(anywhere);
const writeReceipts = createWriteReceipts(openStore);
const writeManifest = createWriteManifest(openStore);

let folder: string;
let store: ObjectStore;
let catalog: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-records-'));
  store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
  catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, 'id,prompt\nfox,a fox\nowl,an owl\nhen,a hen\n');
});

afterEach(() => rm(folder, { recursive: true }));

const input = (): BatchInput => ({
  batch: 'night',
  round: 1,
  store: store.url,
  source: { kind: 'catalog', url: pathToFileURL(catalog).href, format: 'csv', columns: {} },
  bundle,
  defaults: { size: '256', format: 'png', quality: null },
  window: 4,
});

const receipt = (job: Job, changes: Partial<Receipt> = {}): Receipt => ({
  id: job.id,
  renderKey: job.renderKey,
  object: `objects/${job.renderKey}.png`,
  copy: `batches/night/${job.id}.png`,
  bytes: 10,
  crc32c: 'AAAAAA==',
  width: job.width,
  height: job.height,
  outcome: 'rendered',
  computations: 1,
  timings: { waitMs: 0, textEncodeMs: 0, denoiseMs: 0, decodeMs: 0, imageEncodeMs: 0, storeMs: 0 },
  ...changes,
});

const failure = (id: string, reason: string): Failure => ({ id, type: 'UserError', reason, attempts: 1 });

function write(round: number, state: Manifest['state'], lostShards: { shard: number; reason: string }[] = []) {
  const { name, digest } = bundle;
  const written = { store: store.url, batch: 'night', round, bundle: { name, digest }, state, lostShards };
  return writeManifest({ ...written, startedAt: new Date(0).toISOString() });
}

async function close(...round: Parameters<typeof write>) {
  await write(...round);
  return manifestSchema.parse(JSON.parse(Buffer.from(await store.read(manifestName('night'))).toString()));
}

/** Until the clock shows another instant. */
async function later(): Promise<void> {
  const now = Date.now();
  await vi.waitUntil(() => Date.now() > now + 1);
}

const keep = (round: number, outcomes: (Receipt | Failure)[]): Promise<void> =>
  writeReceipts({ store: store.url, batch: 'night', round, shard: 0, outcomes });

describe('planning', () => {
  it('gives the same plan again although the catalog has been edited in between', async () => {
    const first = await planBatch(input());
    await writeFile(catalog, 'id,prompt\nbee,a bee\n');
    expect(await planBatch(input())).toEqual(first);
    expect(first).toMatchObject({ jobs: 3, shards: [{ shard: 0, size: '256', jobs: 3 }] });
  });

  it('refuses a folder that holds the plan of another batch', async () => {
    await planBatch(input());
    const other = { ...input(), bundle: { ...bundle, digest: 'ef'.repeat(32) } };
    await expect(planBatch(other)).rejects.toThrow('Choose another batch id');
  });

  it('reads a catalog that is kept behind a symbolic link', async () => {
    const link = path.join(folder, 'today.csv');
    await symlink(catalog, link);
    const source = { kind: 'catalog' as const, url: pathToFileURL(link).href, format: 'csv' as const, columns: {} };
    expect(await planBatch({ ...input(), source })).toMatchObject({ jobs: 3 });
  });

  it('says where it expected the catalog', async () => {
    await rm(catalog);
    await expect(planBatch(input())).rejects.toThrow(`expected a file at ${catalog}, found none`);
  });
});

describe('a record that is a convenience', () => {
  it('costs a batch nothing where it is damaged: the batch warns, and writes it anew', async () => {
    const cut = Buffer.from('{"format":2,"bun');
    const { source } = input();
    const [rates, latest] = [ratesName(bundle.digest), latestBatchName(source.kind === 'catalog' ? source.url : '')];
    for (const name of [rates, latest]) await store.replace(name, cut, 'application/json');
    const { shards, warnings } = await planBatch(input());
    expect(warnings).toEqual([
      expect.stringContaining(`are unknown: ${latest} in ${shownPlace(store.url)} is damaged`),
    ]);
    const [fox] = await readJobs(store, shards[0]!.name);
    await keep(1, [receipt(fox!, { timings: { waitMs: 0, textEncodeMs: 0, denoiseMs: 9, decodeMs: 0, storeMs: 0 } })]);
    const ended = await write(1, 'completed');
    expect(ended.warnings).toEqual([
      expect.stringContaining(`no estimate is made: ${rates} in ${shownPlace(store.url)} is damaged`),
    ]);
    expect((await write(1, 'completed')).warnings).toEqual([]);
  });
});

describe('a retry', () => {
  it('plans the jobs that have no image: failed, lost or never started', async () => {
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await keep(1, [receipt(jobs[0]!), failure(jobs[1]!.id, 'no')]);
    const retry = await planBatch({ ...input(), round: 2, source: { kind: 'retry' } });
    expect(await readJobs(store, retry.shards[0]!.name)).toEqual(jobs.slice(1));
  });
});

describe('the manifest', () => {
  it('lists what every round made, the last word on each job, and counts it', async () => {
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await keep(1, [
      receipt(jobs[0]!, { outcome: 'reused', computations: 0 }),
      failure('owl', 'first'),
      failure('hen', 'first'),
    ]);
    await keep(2, [receipt(jobs[1]!, { computations: 3 }), failure('hen', 'second')]);
    await keep(10, [failure('hen', 'tenth')]);
    const manifest = await close(10, 'completed');
    expect(manifest.images.map(({ id, prompt }) => [id, prompt])).toEqual([
      ['fox', 'a fox'],
      ['owl', 'an owl'],
    ]);
    expect(manifest.failures).toMatchObject([{ id: 'hen', prompt: 'a hen', reason: 'tenth' }]);
    const totals = { jobs: 3, rendered: 1, reused: 1, failed: 1, cancelled: 0, extraComputations: 2 };
    expect(manifest.totals).toEqual(totals);
  });

  it('counts what was computed for nothing: killed attempts, and a race that another worker won', async () => {
    const { shards } = await planBatch(input());
    const [fox, owl, hen] = (await readJobs(store, shards[0]!.name)).map((job) => receipt(job));
    await keep(1, [{ ...fox!, computations: 2 }, { ...owl!, outcome: 'reused', computations: 1 }, hen!]);
    expect((await close(1, 'completed')).totals.extraComputations).toBe(2);
  });

  it('takes an image for the last word, although a later round had failed before it was made', async () => {
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await keep(2, [failure('fox', 'second round'), failure('owl', 'second round')]);
    await keep(1, [receipt(jobs[0]!), failure('owl', 'first round, late')]);
    const { images, failures, totals } = await close(1, 'completed');
    expect(images.map(({ id }) => id)).toEqual(['fox']);
    expect(failures).toMatchObject([{ id: 'owl', reason: 'second round' }]);
    expect(totals).toMatchObject({ jobs: 3, rendered: 1, failed: 1, cancelled: 1 });
  });

  it('says the same of images from workers of this version and of the one before', async () => {
    const { shards } = await planBatch(input());
    const [fox, owl] = await readJobs(store, shards[0]!.name);
    const timings = { waitMs: 1, textEncodeMs: 20, denoiseMs: 300, decodeMs: 40, imageEncodeMs: 5, storeMs: 6 };
    const former = { waitMs: 1, encodeMs: 20, denoiseMs: 300, decodeMs: 40, storeMs: 11 } as unknown as Timings;
    await keep(1, [receipt(fox!, { timings }), receipt(owl!, { timings: former })]);
    const { images } = await close(1, 'completed');
    const { imageEncodeMs, ...others } = timings;
    expect(images.map((image) => image.timings)).toEqual([timings, { ...others, storeMs: 11 }]);
    const rows = await readBatchRows(store, 'night');
    expect(rows.map(({ image_encode_ms, store_ms }) => [image_encode_ms, store_ms])).toEqual([
      [imageEncodeMs, 6],
      [null, 11],
      [null, null],
    ]);
    expect(rows.slice(0, 2).map(deviceSeconds)).toEqual([0.36, 0.36]);
  });

  it('is written once for each round, and the newest round is the one that is read', async () => {
    const { shards } = await planBatch(input());
    const [fox, owl, hen] = (await readJobs(store, shards[0]!.name)).map((job) => receipt(job));
    await keep(1, [fox!, failure('owl', 'no'), failure('hen', 'no')]);
    expect((await write(1, 'completed')).manifest).toBe('batches/night/manifest-1.json');
    const first = await store.read('batches/night/manifest-1.json');
    for (const [round, outcomes] of [
      [2, [owl!]],
      [10, [hen!]],
    ] as const) {
      await keep(round, outcomes.slice());
      expect((await write(round, 'completed')).manifest).toBe(`batches/night/manifest-${round}.json`);
    }
    expect(await store.read('batches/night/manifest-1.json')).toEqual(first);
    expect(await store.read(manifestName('night'))).toEqual(await store.read('batches/night/manifest-10.json'));
    for (const { status } of await readBatchRows(store, 'night')) expect(status).toBe('rendered');
  });

  it('of an attempt that comes after one whose answer was lost is the first one, though it ended later', async () => {
    await planBatch(input());
    const first = await write(1, 'cancelled');
    const record = await store.read(first.manifest);
    await store.remove(manifestName('night'));
    await later();
    expect(await write(1, 'cancelled')).toEqual(first);
    expect(await store.read(first.manifest)).toEqual(record);
    expect(await store.read(manifestName('night'))).toEqual(record);
  });

  it('is finished by the next attempt where one died between its files', async () => {
    await planBatch(input());
    const { manifest } = await write(1, 'cancelled');
    await store.remove(manifest);
    expect((await write(1, 'cancelled')).manifest).toBe(manifest);
  });

  it('has a name of its own where the round came to something else before', async () => {
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await write(1, 'cancelled');
    await keep(
      1,
      jobs.map((job) => receipt(job)),
    );
    expect((await write(1, 'completed')).manifest).toBe('batches/night/manifest-1-2.json');
    expect((await write(1, 'completed')).manifest).toBe('batches/night/manifest-1-2.json');
    const rows = await readBatchRows(store, 'night');
    expect(rows.map(({ status }) => status)).toEqual(['rendered', 'rendered', 'rendered']);
  });

  it('is written beside folders that have the names of its files, with a warning for the copies', async () => {
    const { shards } = await planBatch(input());
    const [fox] = await readJobs(store, shards[0]!.name);
    for (const name of ['manifest-1.json', 'manifest.json', 'manifest.csv', '_receipts/1-00000.jsonl'])
      await mkdir(path.join(folder, 'out/batches/night', name), { recursive: true });
    await keep(1, [receipt(fox!)]);
    const written = await write(1, 'completed');
    expect(written).toMatchObject({ manifest: 'batches/night/manifest-1-2.json', totals: { jobs: 3, rendered: 1 } });
    expect(written.warnings).toEqual([
      'not replaced, since a folder is in its place and is left alone: batches/night/manifest.json, batches/night/manifest.csv',
    ]);
    expect(await readBatchRows(store, 'night')).toHaveLength(3);
  });

  it('takes in receipts that lie beside those of an earlier run of the round, in the order in which they were written', async () => {
    const { shards } = await planBatch(input());
    const [fox, owl] = (await readJobs(store, shards[0]!.name)).map((job) => receipt(job));
    await keep(1, [failure('fox', 'first run'), failure('owl', 'first run'), failure('hen', 'first run')]);
    const beside = (number: number, outcomes: (Receipt | Failure)[]) =>
      store.create(`batches/night/_receipts/1-00000-${number}.jsonl`, encodeOutcomes(outcomes), 'application/x-ndjson');
    await beside(10, [failure('hen', 'tenth run')]);
    await beside(2, [fox!, owl!, failure('hen', 'second run')]);
    const { images, failures, totals } = await close(1, 'completed');
    expect(images.map(({ id }) => id)).toEqual(['fox', 'owl']);
    expect(failures).toMatchObject([{ id: 'hen', reason: 'tenth run' }]);
    expect(totals).toMatchObject({ jobs: 3, rendered: 2, failed: 1 });
  });

  it('counts jobs that nobody came to as cancelled', async () => {
    await planBatch(input());
    expect(await close(1, 'cancelled')).toMatchObject({ images: [], failures: [], totals: { jobs: 3, cancelled: 3 } });
  });

  it('lists the jobs of a lost shard as failures, but keeps receipts that it did write', async () => {
    await planBatch(input());
    const lost = await close(1, 'completed', [{ shard: 0, reason: 'terminated' }]);
    expect(lost.failures).toMatchObject(
      ['fox', 'owl', 'hen'].map((id) => ({ id, type: 'ShardLost', reason: 'terminated' })),
    );
    await keep(1, [failure('fox', 'its own')]);
    const kept = await close(1, 'completed', [{ shard: 0, reason: 'terminated' }]);
    expect(kept.failures).toMatchObject([{ id: 'fox', reason: 'its own' }]);
  });

  it('lists a shard whose plan somebody deleted as one failure, and the images of the others', async () => {
    await writeFile(catalog, 'id,prompt,size\nfox,a fox,256\nowl,an owl,512\n');
    const sizes = { ...bundle, sizes: ['256' as const, '512' as const] };
    const { shards } = await planBatch({ ...input(), bundle: sizes });
    const [fox] = await readJobs(store, shards[0]!.name);
    await keep(1, [receipt(fox!)]);
    await rm(path.join(folder, 'out', shards[1]!.name), { force: true });
    const { images, failures, totals } = await close(1, 'completed', [{ shard: 1, reason: 'no object' }]);
    expect(images.map(({ id }) => id)).toEqual(['fox']);
    expect(failures).toMatchObject([{ id: 'shard-1-1', type: 'ShardLost' }]);
    expect(failures[0]!.reason).toContain(`no object. Its plan ${shards[1]!.name} is gone from the store`);
    expect(totals).toMatchObject({ jobs: 2, rendered: 1, failed: 1 });
  });
});
