import { ScheduleOverlapPolicy } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { clockChanges } from '../../client/clock-changes.ts';
import { dueTimes } from '../../client/describe-schedule.ts';
import {
  batchEnd,
  createSchedule,
  deleteSchedule,
  describeSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { ifThere } from '../set-up.ts';
import { BUNDLE, type Site, startSite } from '../workflows/site.ts';

/** The programs of both servers, which `npm run test:release` installs. */
const programs = await ifThere('Tests that need both servers are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);

vi.setConfig({ testTimeout: 240_000, hookTimeout: 240_000 });

/** Long enough for a machine that is busy with other things. */
const WITHIN = { timeout: 90_000, interval: 200 };

describe.skipIf(programs === null)('servers 1.29 and 1.32', () => {
  let sites: Site[];

  beforeAll(async () => {
    sites = await Promise.all(programs!.map((binary) => startSite({ binary })));
  });

  afterAll(() => Promise.all(sites.map((site) => site.stop())));

  const onBoth = (check: (site: Site) => Promise<void>) => Promise.all(sites.map(check));

  /** What its batches are made of is wrong, so that each fails as a whole. */
  async function failing(site: Site, name: string): Promise<void> {
    const catalog = await site.catalog(`${name}.csv`, ['a moon,1']);
    const when = { cron: '0 3 29 2 *' };
    await createSchedule(site.client, {
      name,
      when,
      catalog,
      store: site.store.url,
      bundle: BUNDLE,
      pauseOnFailure: true,
    });
  }

  async function failOnce({ client }: Site, name: string): Promise<string> {
    const triggered = await triggerSchedule(client, name);
    if (triggered.outcome !== 'started') throw new Error(triggered.outcome);
    expect(await batchEnd(client, triggered.batch)).toMatchObject({ state: 'failed' });
    const { temporal } = client;
    const run = {
      query: `WorkflowType = 'scheduledBatch' AND ExecutionStatus = 'Failed' AND TemporalScheduledById = 'schedule/${name}'`,
    };
    await vi.waitFor(async () => expect((await temporal.workflow.count(run.query)).count).toBe(1), WITHIN);
    return triggered.batch;
  }

  /** By the server's list, which does not make it look. */
  async function isPaused({ client }: Site, name: string): Promise<boolean | undefined> {
    for await (const { scheduleId, state } of client.temporal.schedule.list()) {
      if (scheduleId === `schedule/${name}`) return state.paused;
    }
    return undefined;
  }

  const taken = async ({ client }: Site, name: string): Promise<number> =>
    (await client.temporal.schedule.getHandle(`schedule/${name}`).describe()).info.numActionsTaken;

  test('notice a failed batch when the next is due, which is lost unless they are made to look before', async () => {
    const names = ['lost', 'kept', 'seen', 'held'];
    await onBoth(async (site) => {
      const handle = (name: string) => site.client.temporal.schedule.getHandle(`schedule/${name}`);
      for (const name of names) await failing(site, name);
      const due = Date.now() + 40_000;
      const spec = { intervals: [{ every: '1s' }], startAt: new Date(due), endAt: new Date(due + 999) };
      for (const name of names) await handle(name).update(({ searchAttributes: _, ...kept }) => ({ ...kept, spec }));
      await handle('held').pause('a person looks at what comes out');
      for (const name of names) await failOnce(site, name);
      // The list follows a little later.
      await vi.waitFor(async () => expect(await isPaused(site, 'held')).toBe(true), WITHIN);
      for (const name of ['lost', 'kept', 'seen']) expect(await isPaused(site, name)).toBe(false);
      await handle('lost').unpause('without a look');
      for (const name of ['kept', 'held']) {
        expect(await resumeSchedule(site.client, name)).toMatchObject({ unnoticed: null });
        const resumed = { paused: false, note: 'a person resumed it' };
        expect(await describeSchedule(site.client, name)).toMatchObject(resumed);
      }
      expect(await describeSchedule(site.client, 'seen')).toMatchObject({
        ...{ paused: true, note: expect.stringMatching(/^paused due to workflow failure: schedule\/seen-/) },
        runs: [{ cause: 'triggered', state: 'failed' }],
      });
      expect(Date.now()).toBeLessThan(due);
      await vi.waitFor(async () => expect(await isPaused(site, 'lost')).toBe(true), WITHIN);
      for (const name of ['kept', 'held'])
        await vi.waitFor(async () => expect(await taken(site, name)).toBe(2), WITHIN);
      for (const name of ['lost', 'seen']) expect(await taken(site, name)).toBe(1);
      for (const name of names) await deleteSchedule(site.client, name);
    });
  });

  test('do not watch what runs beside another, so that its failure is told when the schedule is resumed', async () => {
    await onBoth(async (site) => {
      await failing(site, 'beside');
      await site.client.temporal.schedule.getHandle('schedule/beside').trigger(ScheduleOverlapPolicy.ALLOW_ALL);
      await vi.waitFor(
        async () => expect((await describeSchedule(site.client, 'beside')).unnoticed).toMatch(/^beside-/),
        WITHIN,
      );
      const { next, unnoticed } = await resumeSchedule(site.client, 'beside');
      expect({ next, unnoticed }).toEqual({ next: expect.any(Date), unnoticed: expect.stringMatching(/^beside-/) });
      await deleteSchedule(site.client, 'beside');
    });
  });

  /** What is otherwise than expected; where nothing is, the server starts what clocks show, and once. */
  const changes: [zone: string, cron: string, batches: string[]][] = [
    ['Europe/Berlin', '30 2 * * *', ['2027-03-28 02:30 left out', '2027-10-31 02:30 at its second']],
    ['Europe/Berlin', '0 3 * * *', []],
    ['Europe/Berlin', '0 22 * * *', []],
    [
      'Europe/Berlin',
      '0,30 2 * * 0',
      [
        '2027-03-28 02:00 left out',
        '2027-03-28 02:30 left out',
        '2027-10-31 02:00 at its second',
        '2027-10-31 02:30 left out',
        '2027-10-31 03:30 unasked for',
      ],
    ],
    ['Europe/Berlin', '*/15 * * * *', []],
    ['America/New_York', '30 1,2 * * *', ['2027-03-14 02:30 left out', '2027-11-07 01:30 twice']],
    ['America/Santiago', '0 22 * * 0', ['2027-09-05 22:00 left out']],
    ['America/Santiago', '@daily', ['2027-09-05 00:00 left out']],
    ['America/Santiago', '30 23 * * *', ['2027-04-03 23:30 twice']],
    ['Australia/Lord_Howe', '15 2 * * *', ['2027-10-03 02:15 left out', '2027-10-03 02:45 unasked for']],
    ['Australia/Sydney', '30 2 * * *', ['2027-04-04 02:30 at its second', '2027-10-03 02:30 left out']],
    ['Asia/Tokyo', '30 2 * * *', []],
    ['UTC', '30 2 * * *', []],
  ];

  test.each(changes)(
    'start what is told of them when clocks in %s are changed: %s',
    async (timezone, cron, batches) => {
      await onBoth(async ({ client }) => {
        for (const jitter of ['0s', '5m']) {
          const scheduleId = `schedule/${cron}-${timezone}-${jitter}`;
          const handle = await client.temporal.schedule.create({
            ...{ scheduleId, spec: { cronExpressions: [cron], timezone, jitter } as const, state: { paused: true } },
            action: { type: 'startWorkflow', workflowType: 'none', taskQueue: 'none' },
          });
          const { spec } = await handle.describe();
          const found = await clockChanges({
            ...{ calendars: spec.calendars ?? [], timeZone: timezone, jitterMs: spec.jitter ?? 0 },
            due: (from, to) => dueTimes(client, scheduleId, from, to),
            ...{ from: new Date('2026-12-01'), to: new Date('2027-12-01') },
          });
          const told = found.flatMap((change) => change.batches.map(({ time, happens }) => `${time} ${happens}`));
          expect(told.map((text) => text.replace(/:\d\d unasked/, ':… unasked'))).toEqual(
            batches.map((text) => text.replace(/:\d\d unasked/, ':… unasked')),
          );
          await handle.delete();
        }
      });
    },
  );
});
