import { mkdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Failure, Receipt } from '../../domain/receipt.ts';
import type { Timings } from '../../domain/timings.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import { manifestName } from '../../records/layout.ts';
import { deviceSeconds } from '../../records/manifest-table.ts';
import { encodeOutcomes, readJobs } from '../../records/plan-and-receipts.ts';
import { bundle, failure, later, planBatch, receipt, recordsScene } from './records-scene.ts';

describe('the manifest', () => {
  it('lists what every round made, the last word on each job, and counts it', async () => {
    const { store, input, keep, close } = await recordsScene();
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

  it('counts what was computed in vain: killed attempts, and a race that another worker won', async () => {
    const { store, input, keep, close } = await recordsScene();
    const { shards } = await planBatch(input());
    const [fox, owl, hen] = (await readJobs(store, shards[0]!.name)).map((job) => receipt(job));
    await keep(1, [{ ...fox!, computations: 2 }, { ...owl!, outcome: 'reused', computations: 1 }, hen!]);
    expect((await close(1, 'completed')).totals.extraComputations).toBe(2);
  });

  it('prefers an image to a failure, even to one of a later round', async () => {
    const { store, input, keep, close } = await recordsScene();
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await keep(2, [failure('fox', 'second round'), failure('owl', 'second round')]);
    await keep(1, [receipt(jobs[0]!), failure('owl', 'first round, late')]);
    const { images, failures, totals } = await close(1, 'completed');
    expect(images.map(({ id }) => id)).toEqual(['fox']);
    expect(failures).toMatchObject([{ id: 'owl', reason: 'second round' }]);
    expect(totals).toMatchObject({ jobs: 3, rendered: 1, failed: 1, cancelled: 1 });
  });

  it('shows the same for images from workers of this version and of the previous one', async () => {
    const { store, input, keep, close } = await recordsScene();
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
    const { store, input, keep, write } = await recordsScene();
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

  it('stays as the first attempt wrote it if that attempt’s answer was lost and another one follows', async () => {
    const { store, input, write } = await recordsScene();
    await planBatch(input());
    const first = await write(1, 'cancelled');
    const record = await store.read(first.manifest);
    await store.remove(manifestName('night'));
    await later();
    expect(await write(1, 'cancelled')).toEqual(first);
    expect(await store.read(first.manifest)).toEqual(record);
    expect(await store.read(manifestName('night'))).toEqual(record);
  });

  it('is completed by the next attempt if one died between its files', async () => {
    const { store, input, write } = await recordsScene();
    await planBatch(input());
    const { manifest } = await write(1, 'cancelled');
    await store.remove(manifest);
    expect((await write(1, 'cancelled')).manifest).toBe(manifest);
  });

  it('gets another name if the round ended differently before', async () => {
    const { store, input, keep, write } = await recordsScene();
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
    const { folder, store, input, keep, write } = await recordsScene();
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

  it('includes receipts beside those of an earlier run of the round, in the order in which they were written', async () => {
    const { store, input, keep, close } = await recordsScene();
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

  it('counts jobs that were never started as cancelled', async () => {
    const { input, close } = await recordsScene();
    await planBatch(input());
    expect(await close(1, 'cancelled')).toMatchObject({ images: [], failures: [], totals: { jobs: 3, cancelled: 3 } });
  });

  it('lists the jobs of a lost shard as failures, but keeps receipts that it did write', async () => {
    const { input, keep, close } = await recordsScene();
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
    const { input, folder, store, catalog, keep, close } = await recordsScene();
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
