import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ScheduleOverlapPolicy } from '@temporalio/client';
import { expect, test, vi } from 'vitest';
import {
  type BatchClient,
  backfillSchedule,
  connect,
  deleteSchedule,
  describeSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  ServerUnreachable,
  temporalTarget,
  triggerSchedule,
} from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { ifThere } from '../set-up.ts';

/** The programs of both servers, which `npm run test:release` installs. */
const programs = await ifThere('Tests that need both servers are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);

vi.setConfig({ testTimeout: 240_000 });

/** Long enough for a machine that is busy with other things. */
const WITHIN = { timeout: 90_000, interval: 200 };

/** Runs a server on a file and calls. */
async function served<T>(dbFile: string, binary: string, use: (client: BatchClient) => Promise<T>): Promise<T> {
  const server = await startTemporalServer({ ui: false, dbFile, binary });
  const client = await connect(temporalTarget({ address: server.address, namespace: 'default' }));
  try {
    return await use(client);
  } finally {
    await client.close();
    await server.stop();
  }
}

async function withFile(use: (dbFile: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-schedules-test-'));
  try {
    await use(join(folder, 'temporal.db'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Nobody works for it, so that what it starts goes on running. */
const action = { type: 'startWorkflow' as const, workflowType: 'none', taskQueue: 'none' };

test
  .skipIf(programs === null)
  .concurrent('of several nights that a server missed, it makes up for the oldest, or the two oldest', async () => {
    const everyMs = 5_000;
    const missed = 3;
    await Promise.all(
      programs!.map((binary) =>
        withFile(async (dbFile) => {
          const first = (Math.floor(Date.now() / everyMs) + 4) * everyMs;
          await served(dbFile, binary, async ({ temporal }) => {
            for (const [scheduleId, overlap] of [
              ['schedule/skip', ScheduleOverlapPolicy.SKIP],
              ['schedule/wait-one', ScheduleOverlapPolicy.BUFFER_ONE],
            ] as const) {
              const spec = { intervals: [{ every: everyMs }], startAt: new Date(first) };
              const handle = await temporal.schedule.create({ scheduleId, spec, policies: { overlap }, action });
              await handle.describe();
            }
          });
          expect(Date.now()).toBeLessThan(first);
          await sleep(first + missed * everyMs - Date.now());
          await served(dbFile, binary, async (client) => {
            const described = (name: string) => client.temporal.schedule.getHandle(`schedule/${name}`).describe();
            const startedAt = async (name: string) =>
              (await described(name)).info.recentActions.map(({ scheduledAt }) => +scheduledAt);
            for (const name of ['skip', 'wait-one']) {
              await vi.waitFor(async () => expect(await startedAt(name)).toEqual([first]), WITHIN);
            }
            expect((await described('skip')).info.numActionsSkippedOverlap).toBeGreaterThanOrEqual(missed);
            const { action: started } = (await described('wait-one')).info.recentActions[0]!;
            await client.temporal.workflow.getHandle(started.workflow.workflowId).terminate();
            await vi.waitFor(async () => expect(await startedAt('wait-one')).toEqual([first, first + everyMs]), WITHIN);
          });
        }),
      ),
    );
  });

test
  .skipIf(programs === null)
  .concurrent(
    'a server on the file of an earlier one is an error that says so, and so is a schedule that it has broken',
    () =>
      withFile(async (dbFile) => {
        const [older, newer] = programs!;
        const started = ({ temporal }: BatchClient) =>
          temporal.workflow.count(`TemporalScheduledById = 'schedule/often'`);
        await served(dbFile, older!, async ({ temporal }) => {
          const handle = await temporal.schedule.create({
            ...{ scheduleId: 'schedule/often', spec: { intervals: [{ every: '2s' }] }, action },
            policies: { overlap: ScheduleOverlapPolicy.ALLOW_ALL },
          });
          await handle.describe();
        });
        await served(dbFile, newer!, async (client) => {
          const { count } = await started(client);
          const [from, to] = [new Date('2026-01-01'), new Date('2026-01-02')];
          const calls = [
            async () => void (await listSchedules(client).next()),
            ...[describeSchedule, pauseSchedule, resumeSchedule, triggerSchedule].map(
              (call) => () => call(client, 'often'),
            ),
            () => backfillSchedule(client, 'often', from, to),
          ];
          const errors = await Promise.all(calls.map((call) => call().then(String, (error: unknown) => error)));
          for (const error of errors) {
            expect(error).toBeInstanceOf(ServerUnreachable);
            const message = expect.stringMatching(/cannot answer: .*no such .*another version of the server/);
            expect(error).toMatchObject({ message });
          }
          await vi.waitFor(async () => expect((await started(client)).count).toBeGreaterThan(count), WITHIN);
        });
        await served(dbFile, older!, async (client) => {
          const why = /its own workflow on the server keeps failing/;
          await vi.waitFor(async () => {
            expect((await listSchedules(client).next()).value).toMatchObject({ fault: expect.stringMatching(why) });
          }, WITHIN);
          for (const call of [describeSchedule, pauseSchedule, triggerSchedule, resumeSchedule]) {
            await expect(call(client, 'often')).rejects.toThrow(why);
          }
          await deleteSchedule(client, 'often');
        });
      }),
  );
