import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { findAnyBatch, findBatch } from '../../client/batches.ts';
import {
  BatchExists,
  BatchUnknown,
  batchEnd,
  batchProgress,
  cancelBatch,
  forget,
  retryBatch,
  reviewPageEnd,
  submitBatch,
} from '../../client/index.ts';
import { plan } from '../cleaning/sample-batch.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite({ stepMs: ({ prompt }) => (prompt.includes('slow') ? 60_000 : 0) });
});

afterAll(() => site.stop());

describe('forgetting', () => {
  const whole = (batch: string, apply = true) => forget(site.client, { store: site.store.url, batch, apply });

  it('refuses a batch that there has never been, and finds nothing of one that was forgotten', async () => {
    const end = await batchEnd(site.client, await site.submit('owls', ['an owl,256']));
    if (end.state === 'completed') await reviewPageEnd(site.client, end.result);
    const where = [{ column: 'id', pattern: 'no such row' }];
    for (const request of [{ batch: 'owsl' }, { batch: 'owsl', where }]) {
      const refused = forget(site.client, { store: site.store.url, ...request });
      await expect(refused).rejects.toBeInstanceOf(BatchUnknown);
      await expect(refused).rejects.toThrow(
        /^batch owsl: unknown to .*expected it there or in .*found no trace of it$/,
      );
    }
    expect(await forget(site.client, { store: site.store.url, batch: 'owls', where })).toMatchObject({ batches: [] });
    expect(await whole('owls')).toMatchObject({ batches: [{ batch: 'owls', rows: 1 }], left: [] });
    for (const apply of [true, false]) expect(await whole('owls', apply)).toMatchObject({ histories: 0, left: [] });
  });

  it('remembers every batch of a call that forgot very many', async () => {
    const batches = Array.from({ length: 120 }, (_, number) => `${'night'.repeat(19)}-${1_000 + number}`);
    for (const batch of batches) await plan(site.store, batch, ['wren']);
    const where = [{ column: 'id', pattern: 'wren' }];
    const { batches: gone } = await forget(site.client, { store: site.store.url, where, apply: true });
    expect(gone.map(({ batch }) => batch).sort()).toEqual(batches);
    for (const batch of [batches.at(0)!, batches.at(-1)!]) {
      expect(await whole(batch)).toMatchObject({ histories: 0, left: [] });
    }
    await expect(whole(`${'night'.repeat(19)}-2000`)).rejects.toBeInstanceOf(BatchUnknown);
  });
});

describe('submitting', () => {
  it('refuses a batch that is running or complete, and says what to do', async () => {
    const batch = await site.submit('once', ['a fox,256']);
    const again = site.submit('once', ['a fox,256']);
    await expect(again).rejects.toBeInstanceOf(BatchExists);
    await expect(again).rejects.toThrow(
      'batch once already exists: watch it, retry its failed rows, or choose another batch id',
    );
    await batchEnd(site.client, batch);
    await expect(site.submit('once', ['a fox,256'])).rejects.toBeInstanceOf(BatchExists);
  });

  it('refuses a cancelled batch with another bundle or other options, and resumes it if unchanged', async () => {
    const catalog = await site.catalog('cut.csv', ['a slow fox,256']);
    const request = { catalog, store: site.store.url, bundle: BUNDLE, batch: 'cut' };
    await submitBatch(site.client, request);
    await expect.poll(async () => (await batchProgress(site.client, 'cut')).totals.jobs, { timeout: 20_000 }).toBe(1);
    await cancelBatch(site.client, 'cut');
    expect((await batchEnd(site.client, 'cut')).state).toBe('cancelled');
    const other = { ...BUNDLE, name: 'another', digest: 'ef'.repeat(32) };
    const refused = submitBatch(site.client, { ...request, bundle: other });
    await expect(refused).rejects.toBeInstanceOf(BatchExists);
    await expect(refused).rejects.toThrow(
      `batch cut already exists, planned with bundle ${BUNDLE.name} (${BUNDLE.digest.slice(0, 12)}) and not with another (efefefefefef): submit it again unchanged, or choose another batch id`,
    );
    await expect(submitBatch(site.client, { ...request, defaults: { format: 'webp' } })).rejects.toThrow(
      'batch cut already exists, planned with other options',
    );
    await expect(submitBatch(site.client, { ...request, naming: '{seed}.{ext}' })).rejects.toThrow(
      'batch cut already exists, planned with other options for its size, image format, columns, names',
    );
    await submitBatch(site.client, request);
    await cancelBatch(site.client, 'cut');
    expect((await batchEnd(site.client, 'cut')).state).toBe('cancelled');
  });

  it("refuses another catalog in a batch's folder", async () => {
    await site.submit('taken', ['a fox,256']);
    await expect(site.submit('taken', ['an owl,256'])).rejects.toThrow('with another catalog: choose another batch id');
  });

  it('writes and starts nothing if the catalog has problems', async () => {
    const wrong = site.submit('wrong', ['a fox,257', ',256']);
    await expect(wrong).rejects.toThrow('2 problems in the catalog');
    expect(await all(site.store.list('batches/wrong/'))).toEqual([]);
    await expect(batchProgress(site.client, 'wrong')).rejects.toThrow('batch wrong: unknown to the Temporal server');
  });

  it('names a batch after its catalog and the time by default', async () => {
    const catalog = await site.catalog('tiles of spring.csv', ['a tile,256']);
    const { batch, plan } = await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE });
    expect(batch).toMatch(/^tiles-of-spring-\d{8}T\d{6}Z$/);
    expect(plan).toMatchObject({ rows: 1, jobs: 1, images: 1 });
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
  });
});

describe('a batch that Temporal does not know', () => {
  it('is an error that names a batch with a similar id', async () => {
    await batchEnd(site.client, await site.submit('autumn-icons', ['a fox,256']));
    const asked = () => batchProgress(site.client, 'Autunm-icons');
    await expect
      .poll(() => asked().catch(({ message }) => message), { timeout: 20_000 })
      .toMatch(/^batch Autunm-icons: unknown .*; did you mean autumn-icons\?/);
    await expect(retryBatch(site.client, 'autumn-icon')).rejects.toThrow('; did you mean autumn-icons?');
    await expect(batchProgress(site.client, 'winter-icons')).rejects.not.toThrow('did you mean');
  });

  it('is the same error without a suggestion if the server lists nothing', async () => {
    const list = vi.spyOn(site.client.listings.workflow, 'list').mockImplementation(() => {
      throw new Error('visibility is down');
    });
    onTestFinished(() => list.mockRestore());
    await expect(batchProgress(site.client, 'autumn-icon')).rejects.toBeInstanceOf(BatchUnknown);
    expect(list).toHaveBeenCalledOnce();
  });

  it('costs no listing where it is no error, since "clean" looks for each batch of a store', async () => {
    const list = vi.spyOn(site.client.listings.workflow, 'list');
    onTestFinished(() => list.mockRestore());
    for (const find of [findBatch, findAnyBatch]) expect(await find(site.client, 'nowhere')).toBeNull();
    expect(list).not.toHaveBeenCalled();
  });

  it('is an error that says where to look instead', async () => {
    for (const call of [batchProgress, batchEnd, cancelBatch]) {
      await expect(call(site.client, 'nowhere')).rejects.toThrow(
        /batch nowhere: unknown.*from their store \(--store\)/,
      );
    }
  });
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}
