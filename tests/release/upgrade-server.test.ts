import { spawn } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { main } from '../../cli/main.ts';
import {
  type BatchClient,
  connect,
  createSchedule,
  describeSchedule,
  listSchedules,
  pauseSchedule,
  resumeSchedule,
  type ScheduleDetails,
  temporalTarget,
} from '../../client/index.ts';
import { ensureVersion } from '../../infra/dev/install-tool.mjs';
import { earlierTemporal, temporal } from '../../infra/dev/pinned-tools.mjs';
import { lockFile, readLease, writeLease } from '../../infra/dev/temporal-lease.ts';
import { madeBy, serverFile, versionFile } from '../../infra/dev/temporal-program.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { ifThere } from '../set-up.ts';

/** The programs of both servers, which `npm run test:release` installs. */
const programs = await ifThere('Tests that need both servers are left out', () =>
  Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]),
);
const [older, newer] = programs ?? ['', ''];

let printed: string;
let state: string;
let dbFile: string;
const running: TemporalServer[] = [];

/** Long enough for a machine that is busy with other things. */
const WITHIN = { timeout: 60_000, interval: 200 };

beforeEach(async () => {
  state = await mkdtemp(join(tmpdir(), 'pixart-upgrade-test-'));
  dbFile = serverFile(state);
  printed = '';
  for (const stream of [process.stdout, process.stderr]) {
    vi.spyOn(stream, 'write').mockImplementation((chunk) => {
      printed += chunk;
      return true;
    });
  }
});

afterEach(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  for (const server of running.splice(0)) await server.stop();
  await rm(state, { recursive: true, force: true });
});

/** Runs a server on a file, with the program that is chosen for the file unless one is given. */
async function served<T>(options: { dbFile: string; binary?: string }, use: (client: BatchClient) => Promise<T>) {
  const server = await startTemporalServer({ ui: false, ...options });
  running.push(server);
  const client = await connect(temporalTarget({ address: server.address, namespace: 'default' }));
  try {
    return await use(client);
  } finally {
    await client.close();
    await server.stop();
  }
}

const upgrade = (): Promise<number> => main(['node', 'pixart-batch', 'upgrade-server', '--state', state]);

/** When it was last written decides what came due since then. */
const lay = (file: string): Promise<void> => cp(file, dbFile, { preserveTimestamps: true });

/** Makes these the only programs on the PATH, in this order. */
const onPath = (...binaries: string[]) => vi.stubEnv('PATH', binaries.map(dirname).join(delimiter));

const request = {
  catalog: '/nowhere/catalog.csv',
  store: '/nowhere/out',
  bundle: { name: 'none', digest: 'ab'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } },
};

const withoutCache = () => vi.stubEnv('XDG_CACHE_HOME', join(state, 'nothing'));

const version = async ({ temporal }: BatchClient): Promise<string> =>
  (await temporal.workflowService.getSystemInfo({})).serverVersion ?? '';

/** All three, by name. A server's list of them lags behind by a moment. */
async function schedulesOf(client: BatchClient): Promise<ScheduleDetails[]> {
  const names = await vi.waitFor(async () => {
    const listed: string[] = [];
    for await (const { name } of listSchedules(client)) listed.push(name);
    expect(listed.sort()).toEqual(['missed', 'nightly', 'often']);
    return listed;
  }, WITHIN);
  return Promise.all(names.map((name) => describeSchedule(client, name)));
}

/** When each is due, what it starts, its policies and state, and its memo, as the server itself keeps them. */
const asKept = ({ temporal, namespace }: BatchClient): Promise<unknown[]> =>
  Promise.all(
    ['missed', 'nightly', 'often'].map(async (name) => {
      const asked = { namespace, scheduleId: `schedule/${name}` };
      const { schedule, memo } = await temporal.workflowService.describeSchedule(asked);
      return { schedule, memo };
    }),
  );

describe.skipIf(programs === null)('with both servers', () => {
  let fixtures: string;
  let ofOlder: string;
  let ofNewer: string;
  let before: ScheduleDetails[];
  let keptBefore: unknown[];
  let due: Date;

  beforeAll(async () => {
    fixtures = await mkdtemp(join(tmpdir(), 'pixart-upgrade-fixtures-'));
    [ofOlder, ofNewer] = [join(fixtures, 'older.db'), join(fixtures, 'newer.db')];
    // Far enough that the server has certainly ended by then.
    due = new Date(Math.ceil(Date.now() / 1000) * 1000 + 20_000);
    before = await served({ dbFile: ofOlder, binary: older }, async (client) => {
      await makeSchedules(client);
      const schedules = await schedulesOf(client);
      keptBefore = await asKept(client);
      return schedules;
    });
    await served({ dbFile: ofNewer, binary: newer }, async () => {});
  });

  afterAll(() => rm(fixtures, { recursive: true, force: true }));

  async function makeSchedules(client: BatchClient): Promise<void> {
    const rules = { timeZone: 'Europe/Berlin', catchUp: '12h', jitter: '5m', pauseOnFailure: true } as const;
    const when = { at: '22:30', days: ['monday' as const] };
    await createSchedule(client, { ...request, ...rules, name: 'nightly', when, overlap: 'wait-one' });
    const never = { cron: '0 3 29 2 *' };
    await createSchedule(client, { ...request, name: 'often', when: never, overlap: 'run-both' });
    await dueAt(client, 'often', '*/2 * * * * * *');
    await pauseSchedule(client, 'often');
    await createSchedule(client, { ...request, name: 'missed', when: never, jitter: '2s' });
    const once = `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} * * * *`;
    await dueAt(client, 'missed', once);
  }

  /** The field of seconds is the server's own addition to cron. */
  const dueAt = ({ temporal }: BatchClient, name: string, cron: string): Promise<void> =>
    temporal.schedule.getHandle(`schedule/${name}`).update(({ searchAttributes: _, spec: { jitter }, ...kept }) => ({
      ...kept,
      spec: { cronExpressions: [cron], ...(jitter !== undefined && { jitter }) },
    }));

  test('a batch that has not ended is named, and nothing changes', async () => {
    await lay(ofOlder);
    await served({ dbFile }, async (client) => {
      expect(await version(client)).toMatch(/^1\.29\./);
      const start = { taskQueue: 'nobody', workflowId: 'batch/tonight', args: [] };
      await client.temporal.workflow.start('renderBatch', start);
    });
    const [files, file] = [await readdir(state), await readFile(dbFile)];

    expect(await upgrade()).toBe(EXIT.badInput);

    expect(printed).toMatch(/still running: .*tonight/);
    expect(await readdir(state)).toEqual(files);
    expect(await readFile(dbFile)).toEqual(file);
  }, 120_000);

  test('a file that another process has is left alone', async () => {
    await lay(ofOlder);
    const { lock } = await lockFile(dbFile);
    const lease = { owner: process.pid, lock: lock!.name };
    writeLease(dbFile, lease);
    const [files, file] = [await readdir(state), await readFile(dbFile)];
    expect(await upgrade()).toBe(EXIT.badInput);
    expect(printed).toContain(`is in use by process ${process.pid}: stop "npx pixart-batch dev"`);
    expect(await readdir(state)).toEqual(files);
    expect(await readFile(dbFile)).toEqual(file);
    expect(readLease(dbFile)).toEqual(lease);
    await lock!.release();
  });

  test('an upgrade of the same file that runs is told apart from a server', async () => {
    await lay(ofOlder);
    const { lock } = await lockFile(dbFile);
    writeLease(dbFile, { owner: process.pid, lock: lock!.name, purpose: 'upgrade' });
    expect(await upgrade()).toBe(EXIT.badInput);
    expect(printed).toContain(`an upgrade of this state folder is running (process ${process.pid})`);
    await lock!.release();
  });

  test('of a server that a killed "dev" left behind it is said how to end it', async () => {
    await lay(ofOlder);
    const args = ['-e', 'setInterval(() => {}, 1000)', 'server', 'start-dev', '--port', '1', '--db-filename', dbFile];
    const left = spawn(process.execPath, args);
    const server = { pid: left.pid!, address: '127.0.0.1:1', uiUrl: null };
    writeLease(dbFile, { owner: 2 ** 30, lock: 'temporal.db.lock-1-00000000', server });
    expect(await upgrade()).toBe(EXIT.badInput);
    left.kill();
    expect(printed).toMatch(
      /\(process \d+\) is still running, left behind by .*Run "npx pixart-batch dev" once, .*stop it with Ctrl-C/,
    );
  });

  test('a file of the newer server is left as it is', async () => {
    await lay(ofNewer);
    expect(await upgrade()).toBe(EXIT.ok);
    expect(printed).toContain('already uses Temporal server 1.32: nothing to do');
  });

  test('an older server on the PATH does not open a newer file; a newer one that was installed here does', async () => {
    await lay(ofNewer);
    onPath(older);
    await served({ dbFile }, async (client) => expect(await version(client)).toMatch(/^1\.32\./));
    withoutCache();
    await expect(startTemporalServer({ dbFile })).rejects.toThrow(
      /expected a "temporal" program with server 1\.32, .*Found .*temporal \(server 1\.29\.1\).*install it with/,
    );
  });

  test('a newer server on the PATH does not open an older file, whatever the note beside it says', async () => {
    await lay(ofOlder);
    onPath(newer);
    withoutCache();
    const refused = /server 1\.29, .*Found .*\(server 1\.32\.0\).*move to server 1\.32 .*upgrade-server --state/;
    await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
    await writeFile(versionFile(dbFile), '1.29.1\n');
    await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
    // An old file that somebody has put back.
    await writeFile(versionFile(dbFile), '1.32.0\n');
    await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
  });

  test('a schedule that was made just before its server ended moves too, with both servers from the PATH', async () => {
    onPath(older, newer);
    withoutCache();
    const when = { at: '22:30', days: ['monday' as const] };
    await served({ dbFile, binary: older }, async (client) => {
      for (const name of ['first', 'latest']) await createSchedule(client, { ...request, name, when });
      const start = { taskQueue: 'nobody', workflowId: 'batch/ended/batch.completed/1', args: [] };
      await client.temporal.workflow.start('deliverWebhook', start);
    });

    expect(await upgrade()).toBe(EXIT.ok);

    expect(printed).toMatch(/2 schedules moved\n +first\n +latest\n/);
    // A receiver that is away may keep a message waiting for days.
    expect(printed).toContain('not moved: a message to the webhook of ended, which was still pending');
  }, 120_000);

  test('schedules move to the newer server as they are and go on, and the old file is kept', async () => {
    await sleep(Math.max(0, +due + 2_000 - Date.now()));
    await lay(ofOlder);

    expect(await upgrade(), printed).toBe(EXIT.ok);

    expect(printed).toMatch(/now uses Temporal server 1\.32 \(was 1\.29\)\n {2}3 schedules moved/);
    expect(printed).toMatch(/missed; was due meanwhile, last at \d{4}.*: the next "dev" catches up/);
    expect(printed).toContain('often, paused\n');
    const kept = (await readdir(state)).find((name) => name.startsWith('temporal.db.server-1.29-'));
    expect(await readFile(join(state, kept!))).toEqual(await readFile(ofOlder));
    await served({ dbFile }, async (client) => {
      expect(await version(client)).toMatch(/^1\.32\./);
      const set = (schedules: ScheduleDetails[]) => schedules.map(({ next, runs, running, ...rest }) => rest);
      expect(set(await schedulesOf(client))).toEqual(set(before));
      expect(await asKept(client)).toEqual(keptBefore);
      await resumeSchedule(client, 'often');
      await vi.waitFor(async () => {
        const ids: string[] = [];
        for await (const { workflowId } of client.temporal.workflow.list()) ids.push(workflowId);
        const ofMissed = ids.filter((id) => id.startsWith('schedule/missed'));
        expect(ofMissed).toEqual([`schedule/missed-${due.toISOString().replace('.000', '')}`]);
        expect(ids.filter((id) => id.startsWith('schedule/often')).length).toBeGreaterThan(1);
      }, WITHIN);
    });
  }, 180_000);
});

test('a file whose server nothing tells is not opened until somebody says which one it was', async () => {
  const header = Buffer.alloc(100);
  header.write('SQLite format 3\0');
  header.writeUInt32BE(77, 40);
  await writeFile(dbFile, header);
  expect(() => madeBy(dbFile)).toThrow(/77 changes and no record\. Write the server's version.*temporal\.db\.version/);
  await writeFile(versionFile(dbFile), '1.28.0\n');
  expect(madeBy(dbFile)).toEqual(['1.28']);
});
