import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, type TestContext, vi, test as vitestTest } from 'vitest';
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
import { madeBy, serverFile, versionFile } from '../../infra/dev/temporal-program.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { BUNDLE } from '../workflows/site.ts';

/** Both programs, which `npm test` installs where it can; what it could not install is no fault of the code. */
const programs = await Promise.all([ensureVersion(earlierTemporal), ensureVersion(temporal)]).catch((error) => error);

type Servers = { older: string; newer: string };

function test(name: string, body: (servers: Servers) => Promise<void>): void {
  vitestTest(name, async (context: TestContext) => {
    if (programs instanceof Error) {
      if (process.env.CI) throw programs;
      context.skip(programs.message);
    }
    const [older, newer] = programs;
    await body({ older, newer });
  });
}

let state: string;
let dbFile: string;
let printed: string;
const running: TemporalServer[] = [];

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

/** Runs a server on the state folder, with the program that the product would choose unless one is given. */
async function served<T>(binary: string | null, use: (client: BatchClient) => Promise<T>): Promise<T> {
  const server = await startTemporalServer({ dbFile, ui: false, ...(binary !== null && { binary }) });
  running.push(server);
  const client = await connect(temporalTarget({ address: server.address, namespace: 'default' }));
  try {
    return await use(client);
  } finally {
    await client.close();
    await server.stop();
  }
}

const version = async ({ temporal }: BatchClient): Promise<string> =>
  (await temporal.workflowService.getSystemInfo({})).serverVersion ?? '';

const upgrade = (): Promise<number> => main(['node', 'pixart-batch', 'upgrade-server', '--state', state]);

/** Puts a `temporal` before all others on the PATH; `alone` hides those that were installed here too. */
async function onPath(binary: string, { alone }: { alone: boolean }): Promise<void> {
  await symlink(binary, join(state, 'temporal'));
  vi.stubEnv('PATH', state);
  if (alone) vi.stubEnv('XDG_CACHE_HOME', join(state, 'no-cache'));
}

const request = { catalog: '/nowhere/catalog.csv', store: '/nowhere/out', bundle: BUNDLE };

async function schedulesOf(client: BatchClient): Promise<ScheduleDetails[]> {
  const details: ScheduleDetails[] = [];
  for await (const { name } of listSchedules(client)) details.push(await describeSchedule(client, name));
  return details.sort((a, b) => a.name.localeCompare(b.name));
}

test('schedules move to a newer server as they are and fire there, and the old file is kept', async ({ older }) => {
  const before = await served(older, async (client) => {
    const rules = { timeZone: 'Europe/Berlin', catchUp: '12h', jitter: '5m', pauseOnFailure: true } as const;
    const when = { at: '22:30', days: ['monday' as const] };
    await createSchedule(client, { ...request, ...rules, name: 'nightly', when, overlap: 'wait-one' });
    // Every two seconds; the field of seconds is the server's own addition to cron.
    await createSchedule(client, { ...request, name: 'often', when: { cron: '*/2 * * * * * *' }, overlap: 'run-both' });
    await pauseSchedule(client, 'often');
    return schedulesOf(client);
  });
  const file = await readFile(dbFile);

  expect(await upgrade()).toBe(EXIT.ok);

  expect(printed).toMatch(/is now of Temporal server 1\.32; it was of 1\.29\n {2}2 schedules moved/);
  expect(printed).toContain('often, paused\n');
  const kept = (await readdir(state)).find((name) => name.startsWith('temporal.db.server-1.29-'));
  expect(await readFile(join(state, kept!))).toEqual(file);
  await served(null, async (client) => {
    expect(await version(client)).toMatch(/^1\.32\./);
    const after = await schedulesOf(client);
    expect(after.map(({ next, recent, ...set }) => set)).toEqual(before.map(({ next, recent, ...set }) => set));
    await resumeSchedule(client, 'often');
    const fired = async () => expect((await describeSchedule(client, 'often')).recent.length).toBeGreaterThan(1);
    await vi.waitFor(fired, { timeout: 30_000, interval: 200 });
  });
});

test('what came due while no server ran is started by the new one, as of the time when it was due', async ({
  older,
}) => {
  const due = new Date(Math.ceil(Date.now() / 1000) * 1000 + 15_000);
  const cron = `${due.getUTCSeconds()} ${due.getUTCMinutes()} ${due.getUTCHours()} * * * *`;
  await served(older, (client) => createSchedule(client, { ...request, name: 'missed', when: { cron }, jitter: '2s' }));
  await sleep(Math.max(0, +due + 2_000 - Date.now()));

  expect(await upgrade()).toBe(EXIT.ok);

  expect(printed).toMatch(/missed; was due meanwhile, last at \d{4}.* made up for by the next "dev"/);
  await served(null, async ({ temporal }) => {
    const started = async () => {
      const ids: string[] = [];
      for await (const { workflowId } of temporal.workflow.list()) ids.push(workflowId);
      expect(ids).toEqual([`schedule/missed-${due.toISOString().replace('.000', '')}`]);
    };
    await vi.waitFor(started, { timeout: 30_000, interval: 200 });
  });
});

test('a batch that has not ended keeps the file where it is, and is named', async ({ older }) => {
  const start = { taskQueue: 'nobody', workflowId: 'batch/tonight', args: [] };
  await served(older, ({ temporal }) => temporal.workflow.start('renderBatch', start));
  const [files, file] = [await readdir(state), await readFile(dbFile)];

  expect(await upgrade()).toBe(EXIT.badInput);

  expect(printed).toContain('these have not: tonight.');
  expect(await readdir(state)).toEqual(files);
  expect(await readFile(dbFile)).toEqual(file);
});

test('a file that a server has open is not upgraded', async ({ older }) => {
  await served(older, async () => expect(await upgrade()).toBe(EXIT.badInput));
  expect(printed).toMatch(/is in use by process \d+: end "npx pixart-batch dev"/);
});

test('a file of the newer server is left alone', async ({ newer }) => {
  await served(newer, async () => {});
  expect(await upgrade()).toBe(EXIT.ok);
  expect(printed).toContain('is of the newer server already');
});

test('an older server on the PATH does not open a newer file; one that was installed here does', async ({
  older,
  newer,
}) => {
  await served(newer, async () => {});
  await onPath(older, { alone: false });
  await served(null, async (client) => expect(await version(client)).toMatch(/^1\.32\./));
  vi.stubEnv('XDG_CACHE_HOME', join(state, 'no-cache'));
  await expect(startTemporalServer({ dbFile })).rejects.toThrow(
    /expected a "temporal" program with server 1\.32, .*Found .*temporal \(server 1\.29\.1\).*have it installed by/,
  );
});

test('a newer server on the PATH does not open an older file, whether its version was noted or not', async ({
  older,
  newer,
}) => {
  await served(older, async () => {});
  await onPath(newer, { alone: true });
  const refused = /server 1\.29, .*Found .*\(server 1\.32\.0\).*move to server 1\.32 .*upgrade-server --state/;
  await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
  await writeFile(versionFile(dbFile), '1.29.1\n');
  await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
  // An old file that somebody put back.
  await writeFile(versionFile(dbFile), '1.32.0\n');
  await expect(startTemporalServer({ dbFile })).rejects.toThrow(refused);
});

vitestTest('a file whose server nothing tells is not opened until somebody says which one it was', async () => {
  const header = Buffer.alloc(100);
  header.write('SQLite format 3\0');
  header.writeUInt32BE(77, 40);
  await writeFile(dbFile, header);
  expect(() => madeBy(dbFile)).toThrow(/77 changes and no note\. Write the server's version.*temporal\.db\.version/);
  await writeFile(versionFile(dbFile), '1.28.0\n');
  expect(madeBy(dbFile)).toEqual(['1.28']);
});
