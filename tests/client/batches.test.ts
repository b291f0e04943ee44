import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BatchExists,
  backfillSchedule,
  batchEnd,
  batchProgress,
  cancelBatch,
  createSchedule,
  deleteSchedule,
  describeSchedule,
  listBatches,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleTimes,
  submitBatch,
  triggerSchedule,
} from '../../client/index.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite();
});

afterAll(() => site.stop());

describe('submitting', () => {
  it('refuses a batch that runs or is complete, and says what can be done', async () => {
    const batch = await site.submit('once', ['a fox,256']);
    const again = site.submit('once', ['a fox,256']);
    await expect(again).rejects.toBeInstanceOf(BatchExists);
    await expect(again).rejects.toThrow(
      'batch once exists already: watch it, retry its failed rows, or choose another batch id',
    );
    await batchEnd(site.client, batch);
    await expect(site.submit('once', ['a fox,256'])).rejects.toBeInstanceOf(BatchExists);
  });

  it("refuses another catalog in a batch's folder", async () => {
    await site.submit('taken', ['a fox,256']);
    await expect(site.submit('taken', ['an owl,256'])).rejects.toThrow('with another catalog: choose another batch id');
  });

  it('writes and starts nothing where the catalog is wrong', async () => {
    const wrong = site.submit('wrong', ['a fox,257', ',256']);
    await expect(wrong).rejects.toThrow('2 problems in the catalog');
    expect(await all(site.store.list('batches/wrong/'))).toEqual([]);
    await expect(batchProgress(site.client, 'wrong')).rejects.toThrow('batch wrong: not known to the Temporal server');
  });

  it('names a batch after its catalog and the time, where no id is given', async () => {
    const catalog = await site.catalog('tiles of spring.csv', ['a tile,256']);
    const { batch, plan } = await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE });
    expect(batch).toMatch(/^tiles-of-spring-\d{8}T\d{6}Z$/);
    expect(plan).toMatchObject({ rows: 1, jobs: 1, images: 1 });
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
  });
});

describe('a batch that Temporal does not know', () => {
  it('is an error that says where to look instead', async () => {
    for (const call of [batchProgress, batchEnd, cancelBatch]) {
      await expect(call(site.client, 'nowhere')).rejects.toThrow(
        /batch nowhere: not known.*from its store \(--store\)/,
      );
    }
  });
});

describe('a schedule', () => {
  const due = /^nightly-\d{8}T\d{6}Z$/;
  const schedule = (catalog: string, when: ScheduleTimes = { at: '03:00', days: ['monday', 'friday'] }) =>
    createSchedule(site.client, {
      name: 'nightly',
      when,
      jitter: '5 minutes',
      catchUp: '12 hours',
      pauseOnFailure: true,
      timeZone: 'Europe/Berlin',
      catalog,
      store: site.store.url,
      bundle: BUNDLE,
    });

  /** The server's listing lags behind. */
  const listed = () => expect.poll(() => all(listSchedules(site.client)), { timeout: 30_000 });

  it('starts batches of the catalog as it is then, under ids that carry the time they were due', async () => {
    const catalog = await site.catalog('nightly.csv', ['a moon,256']);
    await schedule(catalog);
    await listed().toMatchObject([
      {
        name: 'nightly',
        when: 'monday, friday at 03:00',
        timeZone: 'Europe/Berlin',
        catalog: pathToFileURL(catalog).href,
        paused: false,
      },
    ]);
    await site.catalog('nightly.csv', ['a moon,256', 'a star,512']);
    await pauseSchedule(site.client, 'nightly');
    expect(await describeSchedule(site.client, 'nightly')).toMatchObject({
      ...{ paused: true, note: 'a person paused it', overlap: 'skip', pauseOnFailure: true },
      ...{ catchUpMs: 12 * 3_600_000, jitterMs: 5 * 60_000, skipped: { overlap: 0, missed: 0 } },
    });
    await resumeSchedule(site.client, 'nightly');
    const { paused, next } = await describeSchedule(site.client, 'nightly');
    expect(paused).toBe(false);
    expect(next.length).toBeGreaterThan(0);
    for (const time of next) expect([1, 5]).toContain(time.getUTCDay());
    await triggerSchedule(site.client, 'nightly');
    const batch = await started(due);
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed', result: { totals: { jobs: 2 } } });
    expect(await site.manifest(batch)).toMatchObject({ batch, totals: { rendered: 2 } });
    await deleteSchedule(site.client, 'nightly');
    await listed().toEqual([]);
  });

  it('of a catalog that has become wrong gives a batch that fails with every problem', async () => {
    const catalog = await site.catalog('broken.csv', ['a moon,256']);
    const request = { name: 'broken', when: { cron: '@daily' }, catalog, store: site.store.url, bundle: BUNDLE };
    await createSchedule(site.client, request);
    await site.catalog('broken.csv', ['a moon,1', 'a star,2']);
    await triggerSchedule(site.client, 'broken');
    const batch = await started(/^broken-/);
    const end = await batchEnd(site.client, batch);
    expect(end).toMatchObject({ state: 'failed', reason: expect.stringContaining('2 problems in the catalog') });
    await deleteSchedule(site.client, 'broken');
  });

  it('makes up for nights that have passed, one after the other, each under the time that it was due', async () => {
    const catalog = await site.catalog('past.csv', ['a comet,256']);
    const request = { name: 'past', when: { cron: '0 3 * * *' }, catalog, store: site.store.url, bundle: BUNDLE };
    await createSchedule(site.client, request);
    const [from, to] = [new Date('2026-01-10T00:00:00Z'), new Date('2026-01-12T00:00:00Z')];
    await expect(backfillSchedule(site.client, 'past', to, from)).rejects.toThrow('expected a time that ends after');
    await backfillSchedule(site.client, 'past', from, to);
    for (const batch of ['past-20260110T030000Z', 'past-20260111T030000Z']) {
      await started(new RegExp(batch));
      expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    }
    await deleteSchedule(site.client, 'past');
  });

  it('that cannot be is refused with the reason', async () => {
    const catalog = await site.catalog('never.csv', ['a moon,256']);
    await expect(schedule(catalog, { cron: 'every other full moon' })).rejects.toThrow(/schedule nightly: .*cron/i);
    await expect(schedule(catalog, { at: '25:00', days: [] })).rejects.toThrow('expected a time of day such as 22:30');
    await expect(triggerSchedule(site.client, 'unheard-of')).rejects.toThrow(
      'schedule unheard-of: expected one of that name',
    );
  });
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}

async function started(name: RegExp): Promise<string> {
  for (;;) {
    for await (const { batch } of listBatches(site.client)) if (name.test(batch)) return batch;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
