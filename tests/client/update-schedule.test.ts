import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  batchEnd,
  createSchedule,
  deleteSchedule,
  describeSchedule,
  exportSchedules,
  importSchedules,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleListing,
  type ScheduleRequest,
  triggerSchedule,
  updateSchedule,
} from '../../client/index.ts';
import { keyring } from '../encryption/keys.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

let site: Site;

beforeAll(async () => {
  site = await startSite();
});

afterAll(() => site.stop());

/** Never due during a test. */
async function create(name: string, over: Partial<ScheduleRequest> = {}, of: Site = site): Promise<string> {
  const catalog = await of.catalog(`${name}.csv`, ['a moon,256']);
  await createSchedule(of.client, {
    ...{ name, catalog, store: of.store.url, bundle: BUNDLE, when: { cron: '0 3 29 2 *' } },
    ...over,
  });
  return catalog;
}

async function trigger(name: string, of: Site = site): Promise<string> {
  const triggered = await triggerSchedule(of.client, name);
  if (triggered.outcome !== 'started') throw new Error(`${name}: ${triggered.outcome}`);
  return triggered.batch;
}

async function listing(name: string): Promise<ScheduleListing | undefined> {
  for await (const found of listSchedules(site.client)) if (found.name === name) return found;
  return undefined;
}

/** The server's answers lag by a moment. */
const soon = { timeout: 30_000, interval: 100 };

describe('updating a schedule', () => {
  it('changes only the given settings: its batches, its pause and its note stay', async () => {
    const options = {
      jitter: '5 minutes',
      catchUp: '12 hours',
      pauseOnFailure: true,
      timeZone: 'Europe/Berlin',
    } as const;
    await create('nightly', { ...options, window: 7, webhook: 'https://hooks.example.com/secret-path' });
    const batch = await trigger('nightly');
    await batchEnd(site.client, batch);
    await pauseSchedule(site.client, 'nightly');
    const before = await describeSchedule(site.client, 'nightly');
    const { changes, next } = await updateSchedule(site.client, 'nightly', {
      when: { at: '22:30', days: ['monday', 'sunday'] },
      window: 3,
      webhook: null,
      jitter: 0,
    });
    expect(changes).toEqual([
      { setting: 'when', before: 'cron 0 3 29 2 *', after: 'monday, sunday at 22:30' },
      { setting: 'jitterMs', before: 300_000, after: 0 },
      { setting: 'window', before: 7, after: 3 },
      { setting: 'webhook', before: 'https://hooks.example.com/…', after: null },
    ]);
    for (const time of next) expect([0, 1]).toContain(time.getUTCDay());
    const { when: _, jitterMs: __, next: ___, window, ...same } = before;
    expect(window).toBe(7);
    const after = await describeSchedule(site.client, 'nightly');
    expect(after).toMatchObject({
      ...same,
      when: 'monday, sunday at 22:30',
      jitterMs: 0,
      window: 3,
      tells: null,
      next,
    });
    expect(after).toMatchObject({ paused: true, note: 'a person paused it', runs: [{ batch, state: 'completed' }] });
    await deleteSchedule(site.client, 'nightly');
  });

  it('makes the next batch use the new catalog, store and format, and lists them', async () => {
    await create('moved');
    const catalog = await site.catalog('elsewhere.csv', ['a star,512', 'a comet,512']);
    const store = `${site.store.url}-2`;
    const { changes, catalog: found } = await updateSchedule(site.client, 'moved', {
      ...{ catalog, store, defaults: { format: 'webp' } },
    });
    expect(changes.map(({ setting }) => setting)).toEqual(['catalog', 'store', 'imageFormat', 'quality']);
    expect(found).toMatchObject({ trouble: null, plan: { rows: 2 } });
    const url = pathToFileURL(catalog).href;
    await expect.poll(() => listing('moved'), soon).toMatchObject({ catalog: url, store, when: 'cron 0 3 29 2 *' });
    const batch = await trigger('moved');
    expect(await batchEnd(site.client, batch)).toMatchObject({ state: 'completed', result: { totals: { jobs: 2 } } });
    await deleteSchedule(site.client, 'moved');
  });

  it('reports no changes if all settings are the same already', async () => {
    await create('same', { timeZone: 'Asia/Tokyo' });
    expect(await updateSchedule(site.client, 'same', { timeZone: 'asia/tokyo', window: null })).toMatchObject({
      changes: [],
    });
    expect(() => updateSchedule(site.client, 'same', {})).toThrow('expected something to change, found nothing');
    await deleteSchedule(site.client, 'same');
  });

  it('refuses changes that would start no batches or make all of them fail, and changes nothing', async () => {
    await create('kept');
    const before = await describeSchedule(site.client, 'kept');
    const refused = (change: Parameters<typeof updateSchedule>[2]) =>
      expect(updateSchedule(site.client, 'kept', change)).rejects;
    await refused({ when: { cron: '0 0 31 2 *' }, window: 1 }).toThrow('is never due');
    await refused({ timeZone: 'Berlin' }).toThrow('Did you mean Europe/Berlin?');
    await refused({ overlap: 'run-both', pauseOnFailure: true }).toThrow(
      'expected an overlap policy other than run-both',
    );
    await refused({ columns: { prompt: 'Caption' } }).toThrow(/a column "Caption".*\n.*Nothing is changed/s);
    await refused({ atMost: { cost: { amount: 5 } } }).toThrow('expected --cost-per-hour as well');
    await refused({ atMost: { cost: { amount: 5, perHour: 1 } }, store: `${site.store.url}-3` }).toThrow(
      /expected a pace measured by an earlier batch in this store, found none with this bundle.*--max-jobs/,
    );
    await refused({ window: 0 }).toThrow('window: expected');
    await refused({ defaults: { quality: 80 } }).toThrow('png keeps every pixel');
    expect(await describeSchedule(site.client, 'kept')).toEqual(before);
    await expect(updateSchedule(site.client, 'unknown', { window: 2 })).rejects.toThrow(
      'schedule unknown: expected one',
    );
    await deleteSchedule(site.client, 'kept');
  });

  it('loses nothing if several clients change it at the same time, and one pauses it', async () => {
    await create('busy');
    const [one, two, three] = await Promise.all([
      updateSchedule(site.client, 'busy', { window: 5 }),
      updateSchedule(site.client, 'busy', { timeZone: 'Asia/Tokyo' }),
      updateSchedule(site.client, 'busy', { team: { name: 'icons', weight: 2 } }),
      pauseSchedule(site.client, 'busy'),
    ]);
    expect([one, two, three].map(({ changes }) => changes.length)).toEqual([1, 1, 1]);
    expect(await describeSchedule(site.client, 'busy')).toMatchObject({ timeZone: 'Asia/Tokyo', paused: true });
    const all = await updateSchedule(site.client, 'busy', { window: 6, team: null });
    expect(all.changes).toEqual([
      { setting: 'window', before: 5, after: 6 },
      { setting: 'team', before: { name: 'icons', weight: 2 }, after: null },
    ]);
    await resumeSchedule(site.client, 'busy');
    await deleteSchedule(site.client, 'busy');
  });

  it('survives an export and an import', async () => {
    await create('saved');
    await updateSchedule(site.client, 'saved', { when: { at: '05:15', days: [] }, store: `${site.store.url}-4` });
    const lines: string[] = [];
    await expect.poll(() => listing('saved'), soon).toBeDefined();
    for await (const saved of exportSchedules(site.client))
      if (saved.name === 'saved') lines.push(JSON.stringify(saved));
    const before = await describeSchedule(site.client, 'saved');
    await deleteSchedule(site.client, 'saved');
    await importSchedules(site.client, lines, 'schedules.jsonl');
    expect(await describeSchedule(site.client, 'saved')).toEqual(before);
    expect(before).toMatchObject({ when: 'every day at 05:15', store: `${site.store.url}-4` });
    await deleteSchedule(site.client, 'saved');
  });

  it('refuses a schedule that something else created', async () => {
    const action = { type: 'startWorkflow' as const, workflowType: 'theirs', taskQueue: 'nobody' };
    await site.client.temporal.schedule.create({ scheduleId: 'schedule/foreign', spec: {}, action });
    await expect(updateSchedule(site.client, 'foreign', { window: 2 })).rejects.toThrow('something else created');
    await deleteSchedule(site.client, 'foreign');
  });
});

it('an encrypted schedule stays encrypted when it is changed', async () => {
  const sealed = await startSite({ keyring: keyring() });
  try {
    await create('sealed', {}, sealed);
    await updateSchedule(sealed.client, 'sealed', { webhook: 'https://hooks.example.com/another' });
    const { schedule } = await sealed.client.temporal.workflowService.describeSchedule({
      ...{ namespace: 'default', scheduleId: 'schedule/sealed' },
    });
    const { input, userMetadata } = schedule!.action!.startWorkflow!;
    for (const { data } of [...input!.payloads!, userMetadata!.summary!]) {
      expect(Buffer.from(data!).toString('latin1')).not.toMatch(/hooks|sealed\.csv/);
    }
    const batch = await trigger('sealed', sealed);
    expect(await batchEnd(sealed.client, batch)).toMatchObject({ state: 'completed' });
  } finally {
    await sealed.stop();
  }
});
