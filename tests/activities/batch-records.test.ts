import { rm, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { latestBatchName, ratesName } from '../../records/layout.ts';
import { readJobs } from '../../records/plan-and-receipts.ts';
import { shownPlace } from '../../store/index.ts';
import { bundle, failure, planBatch, receipt, recordsScene } from './records-scene.ts';

describe('planning', () => {
  it('gives the same plan again although the catalog has been edited in between', async () => {
    const { catalog, input } = await recordsScene();
    const first = await planBatch(input());
    await writeFile(catalog, 'id,prompt\nbee,a bee\n');
    expect(await planBatch(input())).toEqual(first);
    expect(first).toMatchObject({ jobs: 3, shards: [{ shard: 0, size: '256', jobs: 3 }] });
  });

  it('refuses a folder that holds the plan of another batch', async () => {
    const { input } = await recordsScene();
    await planBatch(input());
    const other = { ...input(), bundle: { ...bundle, digest: 'ef'.repeat(32) } };
    await expect(planBatch(other)).rejects.toThrow('Choose another batch id');
  });

  it('reads a catalog that is kept behind a symbolic link', async () => {
    const { input, folder, catalog } = await recordsScene();
    const link = path.join(folder, 'today.csv');
    await symlink(catalog, link);
    const source = { kind: 'catalog' as const, url: pathToFileURL(link).href, format: 'csv' as const, columns: {} };
    expect(await planBatch({ ...input(), source })).toMatchObject({ jobs: 3 });
  });

  it('says where it expected the catalog', async () => {
    const { catalog, input } = await recordsScene();
    await rm(catalog);
    await expect(planBatch(input())).rejects.toThrow(`expected a file at ${catalog}, found none`);
  });
});

describe('a record that is a convenience', () => {
  it('costs a batch nothing if it is damaged: the batch warns, and writes it again', async () => {
    const { store, input, keep, write } = await recordsScene();
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
    const { store, input, keep } = await recordsScene();
    const { shards } = await planBatch(input());
    const jobs = await readJobs(store, shards[0]!.name);
    await keep(1, [receipt(jobs[0]!), failure(jobs[1]!.id, 'no')]);
    const retry = await planBatch({ ...input(), round: 2, source: { kind: 'retry' } });
    expect(await readJobs(store, retry.shards[0]!.name)).toEqual(jobs.slice(1));
  });
});
