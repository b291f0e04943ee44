import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type BatchClient, connect, temporalTarget } from '../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { startGateway } from '../client/gateway.ts';
import { createWorkplace, type Workplace } from '../e2e/workplace.ts';
import { runHere } from './run-here.ts';

vi.setConfig({ hookTimeout: 300_000 });

let place: Workplace;
let server: TemporalServer;
let client: BatchClient;
let catalog: string;

beforeAll(async () => {
  place = await createWorkplace();
  server = await startTemporalServer({ ui: false });
  client = await connect(temporalTarget({ address: server.address, namespace: 'default' }));
  catalog = await place.catalog('catalog.csv', 'prompt\na fox');
});

afterAll(async () => {
  await client?.close();
  await server?.stop();
  await place.remove();
});

const run = (args: string[], address = server.address) =>
  runHere(['schedule', ...args], { ...place.environment, TEMPORAL_ADDRESS: address });

const keeperOf = (name: string) => client.temporal.workflow.getHandle(`temporal-sys-scheduler:schedule/${name}`);

/** The server's list lags by a moment. */
const soon = { timeout: 30_000, interval: 100 };

describe('"schedule create"', () => {
  test('shows when the next three batches start, in their time zone', async () => {
    const made = await run(['create', 'tokyo', catalog, '--cron', '30 2 * * *', '--time-zone', 'Asia/Tokyo']);
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(
      /^schedule tokyo is set; .*\nnext \(Asia\/Tokyo\) {2}(\d{4}-\d\d-\d\d 02:30 \+09:00\n +){2}\d{4}-\d\d-\d\d 02:30 \+09:00\n$/,
    );
    const hourly = await run(['create', 'hourly', catalog, '--cron', '@hourly']);
    expect(hourly.stdout).toMatch(/\nnext \(UTC\) {2}\d{4}-\d\d-\d\d \d\d:00 \+00:00\n/);
  });

  test('lists the batches that clock changes affect within a year, and how to avoid it', async () => {
    const { code, stderr } = await run(['create', 'berlin', catalog, '--at', '02:30', '--time-zone', 'Europe/Berlin']);
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /clocks in Europe\/Berlin change from (\d{4}-03-\d\d) 02:00 \+01:00 to \1 03:00 \+02:00\. Another time of day, or --time-zone UTC, avoids this:\n {2}the batch of \1 02:30 is skipped\n/,
    );
    expect(stderr).toMatch(
      /change from (\d{4}-10-\d\d) 03:00 \+02:00 to \1 02:00 \+01:00\. .*\n {2}the batch of \1 02:30 starts once, when clocks show that time again\n/,
    );
    for (const [name, ...when] of [
      ['later', '--at', '22:00', '--time-zone', 'Europe/Berlin'],
      ['often', '--cron', '*/15 * * * *', '--time-zone', 'Europe/Berlin'],
    ]) {
      expect(await run(['create', name!, catalog, ...when])).toMatchObject({ code: 0, stderr: '' });
    }
  });

  test('says that steps do not come out even', async () => {
    const { stderr } = await run(['create', 'uneven', catalog, '--cron', '0 3 */2 * *']);
    expect(stderr).toBe('cron */2 restarts every month: the last step is shorter\n');
  });

  test.each([
    ['--cron', '0 0 22 * * *', /write "0 22 \* \* \*"/],
    ['--cron', '0 3 * * MON#1', /reads # and what follows as a comment/],
    ['--cron', '@every 24h', /whatever the time zone/],
    ['--cron', '0 0 31 2 *', /is never due/],
  ])(
    'refuses times that are not due when people think, and leaves nothing behind: %s %s',
    async (option, value, message) => {
      const refused = await run(['create', 'refused', catalog, option, value]);
      expect(refused).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(message) });
      expect((await run(['describe', 'refused'])).stderr).toContain('expected one of that name');
    },
  );
});

describe('"schedule update"', () => {
  test('shows settings before and after, as text and as JSON', async () => {
    expect(await run(['create', 'changing', catalog, '--at', '22:00', '--window', '16'])).toMatchObject({ code: 0 });
    const webhook = 'https://hooks.example.com/a/secret';
    const args = ['--at', '23:00', '--time-zone', 'Asia/Tokyo', '--catch-up', '12h', '--webhook', webhook];
    const updated = await run(['update', 'changing', ...args, '--max-jobs', '50', '--image-format', 'webp']);
    expect(updated).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^messages cannot be sent yet: [^\n]*\n$/),
    });
    expect(updated.stdout).toMatch(
      new RegExp(
        [
          '^schedule changing is changed',
          ' +when +every day at 22:00 → every day at 23:00',
          ' +time zone +UTC → Asia/Tokyo',
          ' +catch-up +365d → 12h',
          ' +image format +png → webp',
          ' +quality +none → 90',
          ' +webhook +none → https://hooks.example.com/…',
          ' +max jobs +none → 50',
          'next \\(Asia/Tokyo\\) +\\d{4}-\\d\\d-\\d\\d 23:00 \\+09:00',
        ].join('\\n'),
      ),
    );
    expect((await run(['describe', 'changing'])).stdout).toMatch(/ +window +16\n +at most +50 images to render\n/);
    const again = await run(['update', 'changing', '--no-webhook', '--no-max-jobs', '--window', '8', '--json']);
    expect(JSON.parse(again.stdout)).toMatchObject({
      name: 'changing',
      changes: [
        { setting: 'window', before: 16, after: 8 },
        { setting: 'webhook', before: 'https://hooks.example.com/…', after: null },
        { setting: 'maxJobs', before: 50, after: null },
      ],
      next: expect.any(Array),
    });
    expect((await run(['update', 'changing', '--window', '8'])).stdout).toMatch(
      /^schedule changing already has these settings\n/,
    );
  });

  test('keeps the days if only the time of day changes, and the time if only the days do', async () => {
    const created = await run(['create', 'weekly', catalog, '--at', '22:00', '--days', 'monday,friday']);
    expect(created).toMatchObject({ code: 0 });
    const when = async (...args: string[]): Promise<string> => {
      const { stdout } = await run(['update', 'weekly', ...args, '--json']);
      return JSON.parse(stdout)
        .changes.map(({ after }: { after: string }) => after)
        .join();
    };
    expect(await when('--at', '23:00')).toBe('monday, friday at 23:00');
    expect(await when('--days', 'sunday')).toBe('sunday at 23:00');
    expect(await when('--days', 'monday,tuesday,wednesday,thursday,friday,saturday,sunday')).toBe('every day at 23:00');
    expect(await when('--at', '21:00')).toBe('every day at 21:00');
    expect(await when('--cron', '0 22 * * 1')).toBe('cron 0 22 * * 1');
    expect(await run(['update', 'weekly', '--at', '23:00'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(
        '--at: expected --days as well, found none to keep: the schedule\'s times are "cron 0 22 * * 1"',
      ),
    });
    expect((await run(['describe', 'weekly'])).stdout).toMatch(/when +cron 0 22 \* \* 1, UTC/);
  });

  test('ignores defaults and the environment', async () => {
    expect(await run(['create', 'still', catalog, '--at', '22:00', '--image-format', 'webp'])).toMatchObject({
      code: 0,
    });
    const environment = { PIXART_STORE: 'another', PIXART_BUNDLE: 'no-such-bundle', PIXART_COST_PER_HOUR: '3' };
    const here = { ...place.environment, TEMPORAL_ADDRESS: server.address, ...environment };
    const { stdout } = await runHere(['schedule', 'update', 'still', '--window', '4', '--json'], here);
    expect(JSON.parse(stdout).changes).toEqual([{ setting: 'window', before: 64, after: 4 }]);
  });

  test.each([
    [[], /expected something to change, found nothing/],
    [['--cron', '0 0 31 2 *'], /is never due/],
    [['--at', '25:00'], /expected a time of day such as 22:30, found "25:00"/],
    [['--column', 'prompt=Caption'], /a column "Caption".*Nothing is changed: every batch would fail with this/s],
    [['--max-cost', '5'], /--max-cost: expected --cost-per-hour as well/],
    [['--max-cost', '5', '--cost-per-hour', '1'], /expected a pace measured by an earlier batch in this store/],
    [['--weight', '2'], /--weight: expected --team as well/],
  ])('refuses %j', async (args, message) => {
    expect(await run(['update', 'still', ...args])).toMatchObject({ code: 2, stderr: expect.stringMatching(message) });
  });
});

test('a schedule with a maximum cost is refused while the cost cannot be estimated', async () => {
  const dear = ['create', 'dear', catalog, '--at', '22:00', '--max-cost', '5', '--cost-per-hour', '1'];
  expect(await run(dear)).toMatchObject({
    code: 2,
    stderr: expect.stringMatching(/expected a pace .* use --max-jobs/),
  });
  const large = await run(['create', 'large', catalog, '--at', '22:00', '--max-jobs', '0']);
  expect(large).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(
      'a batch of the catalog as it is now would be refused: --max-jobs: expected at most 0',
    ),
  });
});

test('a schedule whose catalog is over its limits says so whenever it is changed', async () => {
  expect(await run(['create', 'tight', catalog, '--at', '22:00'])).toMatchObject({ code: 0 });
  const over = 'a batch of the catalog as it is now would be refused: --max-jobs: expected at most 0';
  for (const [args, warned] of [
    [['--max-jobs', '100'], false],
    [['--max-jobs', '0'], true],
    [['--at', '23:00', '--json'], true],
    [['--no-max-jobs'], false],
  ] as const) {
    const { code, stderr, stdout } = await run(['update', 'tight', ...args]);
    expect([args, code, stderr.includes(over)]).toEqual([args, 0, warned]);
    expect(stdout).not.toContain('atMost');
  }
});

test('schedule commands print JSON too, and a trigger that starts nothing exits with 3', async () => {
  const json = async (...args: string[]) => {
    const { code, stdout } = await run([...args, '--json']);
    return { code, told: JSON.parse(stdout) };
  };
  const name = 'told';
  expect(await json('create', name, catalog, '--at', '22:00')).toMatchObject({
    code: 0,
    told: { name, overlap: 'skip' },
  });
  expect(await json('pause', name)).toEqual({ code: 0, told: { name, paused: true, waiting: 0, due: [] } });
  expect(await json('resume', name)).toMatchObject({ code: 0, told: { name, paused: false, unnoticed: null } });
  // There are no workers, so it never ends.
  expect(await json('trigger', name)).toMatchObject({ code: 0, told: { name, outcome: 'started' } });
  expect(await json('trigger', name)).toMatchObject({ code: 3, told: { name, outcome: 'skipped' } });
  expect(await json('delete', name)).toEqual({ code: 0, told: { name, deleted: true } });
});

test('schedules made by an earlier version, or by others, are listed and described', async () => {
  const spec = { cronExpressions: ['0 3 * * *'] };
  const action = { type: 'startWorkflow' as const, workflowType: 'scheduledBatch', taskQueue: 'nobody' };
  const memo = { catalog: 'file:///old.csv', store: 'file:///out', cron: '0 3 * * *', timeZone: 'Asia/Tokyo' };
  await client.temporal.schedule.create({ scheduleId: 'schedule/early', spec, action, memo });
  await client.temporal.schedule.create({ scheduleId: 'schedule/foreign', spec, action });
  await expect.poll(async () => (await run(['list'])).stdout, soon).toMatch(/^foreign +unknown /m);
  expect((await run(['list'])).stdout).toMatch(/^early +cron 0 3 \* \* \* +Asia\/Tokyo /m);
  const described = await run(['describe', 'early']);
  expect(described.stdout).toMatch(/overlap +while a batch is running, the next ones are skipped/);
  expect(described.stdout).not.toMatch(/note|undefined/);
  expect(described.stdout).toMatch(/last batches +none/);
});

test('a schedule whose own workflow has ended on the server is shown as broken, and can be created again', async () => {
  const lost = ['create', 'lost', catalog, '--cron', '@daily'];
  expect(await run(lost)).toMatchObject({ code: 0 });
  expect(await run(['create', 'gone', catalog, '--cron', '@daily'])).toMatchObject({ code: 0 });
  await keeperOf('lost').terminate('by mistake');
  expect(await run(['delete', 'gone'])).toMatchObject({ code: 0 });
  const why =
    /schedule lost can no longer start batches: its own workflow on the server ended at .*\(terminated: by mistake\)\. Create it again/;
  await expect.poll(async () => (await run(['list'])).stderr, soon).toMatch(why);
  const listed = await run(['list']);
  expect(listed.stdout).toMatch(/^lost +cron @daily +UTC +broken /m);
  expect(listed.stdout).not.toMatch(/^gone /m);
  for (const verb of ['describe', 'pause', 'resume', 'trigger', 'delete']) {
    expect(await run([verb, 'lost'])).toMatchObject({ code: 2, stderr: expect.stringMatching(why) });
  }
  expect(await run(lost)).toMatchObject({ code: 0 });
  expect((await run(['describe', 'lost'])).stdout).toMatch(/when +cron @daily, UTC/);
});

test.each(['2026-01-30', '2026-01-30T22:00:00', '2026-02-30T22:00:00Z', '2026-01-30T25:00:00Z', 'yesterday'])(
  'backfill refuses a time that does not exist or has no zone: %s',
  async (from) => {
    expect(await run(['backfill', 'any', '--from', from, '--to', '2026-03-31T00:00:00+02:00'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('Expected a time with its zone, such as 2026-01-30T00:00:00Z'),
    });
  },
);

describe('on a server that refuses', () => {
  const verbs = [
    ['create', 'new', 'CATALOG', '--cron', '@daily'],
    ['list'],
    ...['describe', 'pause', 'resume', 'trigger', 'delete'].map((verb) => [verb, 'any']),
    ['backfill', 'any', '--from', '2026-01-01T00:00:00Z', '--to', '2026-01-02T00:00:00Z'],
  ];

  test.each([
    [7, 'not in the team', /denied access to namespace "default": not in the team\. Check TEMPORAL_API_KEY/],
    [12, 'no schedules here', /does not know this call: no schedules here/],
  ])('every command says what is wrong, without a stack, and exits with 4: code %i', async (code, details, message) => {
    const gateway = await startGateway(server.address, (call) =>
      call.includes('Schedule') ? { code, details } : null,
    );
    try {
      for (const verb of verbs) {
        const args = verb.map((arg) => (arg === 'CATALOG' ? catalog : arg));
        const finished = await run(args, gateway.address);
        expect(finished, verb[0]).toMatchObject({ code: 4, stdout: '', stderr: expect.stringMatching(message) });
        expect(finished.stderr).not.toMatch(/^\s+at /m);
      }
    } finally {
      gateway.stop();
    }
  });

  test('says if a schedule was created before the refusal', async () => {
    const gateway = await startGateway(server.address, (call) =>
      call === 'DescribeSchedule' ? { code: 7, details: 'no looking' } : null,
    );
    try {
      const message = /^pixart-batch: schedule half is set, but the Temporal server .*no looking/;
      const made = await run(['create', 'half', catalog, '--cron', '@daily'], gateway.address);
      expect(made).toMatchObject({ code: 4, stderr: expect.stringMatching(message) });
    } finally {
      gateway.stop();
    }
    expect(await run(['describe', 'half'])).toMatchObject({ code: 0 });
  });

  test('batch commands say so too', async () => {
    const gateway = await startGateway(server.address, (call) =>
      call === 'ListWorkflowExecutions' ? { code: 16, details: 'the key is void' } : null,
    );
    try {
      const listed = await runHere(['list'], { ...place.environment, TEMPORAL_ADDRESS: gateway.address });
      expect(listed).toMatchObject({ code: 4, stderr: expect.stringMatching(/denied access to .*the key is void/) });
    } finally {
      gateway.stop();
    }
  });
});
