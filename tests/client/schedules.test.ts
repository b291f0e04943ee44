import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  backfillSchedule,
  batchEnd,
  cancelBatch,
  createSchedule,
  deleteSchedule,
  describeSchedule,
  listBatches,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleRequest,
  type ScheduleTimes,
  triggerSchedule,
} from '../../client/index.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite({ stepMs: ({ prompt }) => (prompt.includes('slow') ? 600_000 : 0) });
});

afterAll(() => site.stop());

/** The server's answers lag by a moment. */
const soon = { timeout: 30_000, interval: 100 };

const listed = () => expect.poll(() => all(listSchedules(site.client)), soon);

/** Creates a schedule of a catalog with these rows, which is never due during a test unless `over` says so. */
async function create(name: string, rows: string[], over: Partial<ScheduleRequest> = {}) {
  const catalog = await site.catalog(`${name}.csv`, rows);
  const request = { name, catalog, store: site.store.url, bundle: BUNDLE, when: { cron: '0 3 29 2 *' } };
  return createSchedule(site.client, { ...request, ...over });
}

/** The id of the batch that it starts. */
async function trigger(name: string): Promise<string> {
  const triggered = await triggerSchedule(site.client, name);
  if (triggered.outcome !== 'started') throw new Error(`${name}: ${triggered.outcome}`);
  return triggered.batch;
}

/** A scheduled run starts its batch a moment later, so try until it is there. */
const cancel = (batch: string) =>
  expect.poll(() => cancelBatch(site.client, batch).then(() => 'cancelled', String), soon).toBe('cancelled');

describe('a schedule', () => {
  it('starts batches of the catalog as it is at that time, with ids that contain their due time', async () => {
    const { next } = await create('nightly', ['a moon,256'], {
      when: { at: '03:00', days: ['monday', 'friday'] },
      jitter: '5 minutes',
      catchUp: '12 hours',
      pauseOnFailure: true,
      timeZone: 'europe/berlin',
    });
    expect(next.length).toBeGreaterThanOrEqual(3);
    for (const time of next) expect([1, 5]).toContain(time.getUTCDay());
    const catalog = await site.catalog('nightly.csv', ['a moon,256', 'a star,512']);
    await listed().toMatchObject([
      {
        name: 'nightly',
        when: 'monday, friday at 03:00',
        timeZone: 'Europe/Berlin',
        catalog: pathToFileURL(catalog).href,
        paused: false,
        fault: null,
      },
    ]);
    expect(await describeSchedule(site.client, 'nightly')).toMatchObject({ paused: false, note: null, next, runs: [] });
    expect(await pauseSchedule(site.client, 'nightly')).toEqual({ waiting: 0, due: [] });
    expect(await describeSchedule(site.client, 'nightly')).toMatchObject({
      ...{ paused: true, note: 'a person paused it', overlap: 'skip', pauseOnFailure: true },
      ...{ catchUpMs: 12 * 3_600_000, jitterMs: 5 * 60_000, skipped: { overlap: 0, missed: 0 } },
    });
    expect(await resumeSchedule(site.client, 'nightly')).toMatchObject({ unnoticed: null });
    const batch = await trigger('nightly');
    expect(batch).toMatch(/^nightly-\d{8}T\d{6}Z$/);
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed', result: { totals: { jobs: 2 } } });
    expect(await site.manifest(batch)).toMatchObject({ batch, totals: { rendered: 2 } });
    await deleteSchedule(site.client, 'nightly');
    await listed().toEqual([]);
  });

  it('whose catalog has become invalid starts a batch that fails with every problem', async () => {
    await create('broken', ['a moon,1', 'a star,2'], { when: { cron: '@daily' } });
    const batch = await trigger('broken');
    const end = await batchEnd(site.client, batch);
    expect(end).toMatchObject({ state: 'failed', reason: expect.stringContaining('2 problems in the catalog') });
    await deleteSchedule(site.client, 'broken');
  });

  it('backfills past nights one after another, each with the id of its due time', async () => {
    await create('past', ['a comet,256'], { when: { cron: '0 3 * * *' } });
    const [from, to] = [new Date('2026-01-10T00:00:00Z'), new Date('2026-01-12T00:00:00Z')];
    await expect(backfillSchedule(site.client, 'past', to, from)).rejects.toThrow('expected an end after');
    const morning = (hour: string) => new Date(`2026-01-10T${hour}:00:00Z`);
    await expect(backfillSchedule(site.client, 'past', morning('04'), morning('05'))).rejects.toThrow(
      'schedule past was not due from 2026-01-10T04:00:00.000Z to 2026-01-10T05:00:00.000Z',
    );
    const due = await backfillSchedule(site.client, 'past', from, to);
    expect(due.map((time) => time.toISOString())).toEqual(['2026-01-10T03:00:00.000Z', '2026-01-11T03:00:00.000Z']);
    const batches = ['past-20260110T030000Z', 'past-20260111T030000Z'];
    for (const batch of batches) {
      await started(batch);
      expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed' });
    }
    await expect
      .poll(async () => (await describeSchedule(site.client, 'past')).runs, soon)
      .toMatchObject(batches.toReversed().map((batch) => ({ batch, cause: 'due', state: 'completed' })));
    await deleteSchedule(site.client, 'past');
  });

  it('that is impossible is refused with the reason, and leaves nothing behind', async () => {
    const refused = (when: ScheduleTimes, over: Partial<ScheduleRequest> = {}) =>
      expect(create('never', ['a moon,256'], { when, ...over })).rejects;
    await refused({ cron: 'every other full moon' }).toThrow(/cron "every other full moon": expected five fields/);
    await refused({ cron: '0 0 31 2 *' }).toThrow('is never due');
    await refused({ at: '25:00', days: [] }).toThrow('expected a time of day such as 22:30');
    await refused({ at: '22:00', days: [] }, { timeZone: 'Berlin' }).toThrow('Did you mean Europe/Berlin?');
    await refused({ cron: '@daily' }, { overlap: 'run-both', pauseOnFailure: true }).toThrow(
      'pause on failure: expected',
    );
    await expect(describeSchedule(site.client, 'never')).rejects.toThrow('schedule never: expected one of that name');
  });
});

describe('triggering a schedule', () => {
  it('obeys its overlap policy, and names the new batch or the one in the way', async () => {
    await create('picky', ['a slow crab,256']);
    const first = await trigger('picky');
    expect(await triggerSchedule(site.client, 'picky')).toEqual({ outcome: 'skipped', running: [first] });
    expect(await describeSchedule(site.client, 'picky')).toMatchObject({
      ...{ running: 1, waiting: 0, skipped: { overlap: 1 } },
      runs: [{ batch: first, cause: 'triggered', state: 'running' }],
    });
    await cancel(first);
    await batchEnd(site.client, first);
    await deleteSchedule(site.client, 'picky');
  });

  it('lets one more batch wait if the policy says so, and pausing reports it', async () => {
    await create('patient', ['a slow crab,256'], { overlap: 'wait-one' });
    const first = await trigger('patient');
    expect(await triggerSchedule(site.client, 'patient')).toEqual({ outcome: 'waiting', running: [first] });
    expect(await triggerSchedule(site.client, 'patient')).toEqual({ outcome: 'skipped', running: [first] });
    expect(await pauseSchedule(site.client, 'patient')).toEqual({ waiting: 1, due: [] });
    await cancel(first);
    await batchEnd(site.client, first);
    // Triggered, it starts although the schedule is paused.
    await expect.poll(() => describeSchedule(site.client, 'patient'), soon).toMatchObject({ running: 1, waiting: 0 });
    const { runs } = await describeSchedule(site.client, 'patient');
    await cancel(runs[0]!.batch);
    await deleteSchedule(site.client, 'patient');
  });

  it('reports no dropped batches on pausing if only backfilled batches are waiting', async () => {
    await create('made-up', ['a slow crab,256'], { when: { cron: '0 3 * * *' } });
    await backfillSchedule(site.client, 'made-up', new Date('2026-01-10T00:00:00Z'), new Date('2026-01-12T00:00:00Z'));
    const described = () => describeSchedule(site.client, 'made-up');
    await expect.poll(described, soon).toMatchObject({ running: 1, waiting: 1 });
    expect(await pauseSchedule(site.client, 'made-up')).toEqual({ waiting: 1, due: [] });
    const [run] = (await described()).runs;
    await deleteSchedule(site.client, 'made-up');
    await started(run!.batch);
    await cancel(run!.batch);
  });

  it('reports on pausing when the waiting batch was due, and drops it', async () => {
    await create('giving-up', ['a slow crab,256'], { overlap: 'wait-one' });
    const handle = site.client.temporal.schedule.getHandle('schedule/giving-up');
    const intervals = [{ every: '2s' }];
    await handle.update(({ spec: _, searchAttributes: __, ...kept }) => ({ ...kept, spec: { intervals } }));
    const described = () => describeSchedule(site.client, 'giving-up');
    await expect.poll(described, soon).toMatchObject({ running: 1, waiting: 1 });
    const [run] = (await described()).runs;
    const { waiting, due } = await pauseSchedule(site.client, 'giving-up');
    expect({ waiting, due: due.map(Number) }).toEqual({ waiting: 1, due: [+run!.at + 2_000] });
    await cancel(run!.batch);
    await batchEnd(site.client, run!.batch);
    const only = [{ batch: run!.batch, cause: 'due' }];
    await expect.poll(described, soon).toMatchObject({ running: 0, waiting: 0, runs: only });
    await backfillSchedule(site.client, 'giving-up', new Date(+due[0]! - 1_000), due[0]!);
    await expect.poll(described, soon).toMatchObject({ running: 1, waiting: 0, runs: [{ at: due[0] }, ...only] });
    await cancel((await described()).runs[0]!.batch);
    await deleteSchedule(site.client, 'giving-up');
  });

  it('starts batches in parallel if the policy says so, and shows both', async () => {
    await create('both', ['a slow crab,256'], { overlap: 'run-both' });
    const first = await trigger('both');
    const second = await trigger('both');
    expect(await describeSchedule(site.client, 'both')).toMatchObject({
      running: 2,
      runs: [
        { batch: second, state: 'running' },
        { batch: first, state: 'running' },
      ],
    });
    for (const batch of [first, second]) await cancel(batch);
    await deleteSchedule(site.client, 'both');
  });
});

async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of source) found.push(item);
  return found;
}

async function started(name: string): Promise<void> {
  await expect.poll(async () => (await all(listBatches(site.client))).map(({ batch }) => batch), soon).toContain(name);
}
