import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { batchInput, type CatalogInput } from '../../client/batch-request.ts';
import {
  backfillSchedule,
  createSchedule,
  deleteSchedule,
  describeSchedule,
  listSchedules,
  OVERLAPS,
  type Overlap,
  pauseSchedule,
  resumeSchedule,
  type ScheduleDetails,
  type ScheduleListing,
  type ScheduleTimes,
  triggerSchedule,
  WEEKDAYS,
  type Weekday,
} from '../../client/index.ts';
import { requestedJobs } from '../../client/requested-jobs.ts';
import { UserError } from '../../domain/user-error.ts';
import { bundleRef } from '../../models/pixart/bundle.ts';
import type { FailureBudget } from '../../workflows/contract/batch.ts';
import { chosenBundle } from '../chosen-bundle.ts';
import { addTeamOptions, failureBudgetOption, type TeamOptions, teamOf, webhookOption } from '../control-options.ts';
import { collect, note, printJson, printLine, table, timeText } from '../display/output.ts';
import {
  addCatalogOptions,
  addServerOptions,
  batchRequest,
  type CatalogOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
} from '../options.ts';
import { withClient } from '../with-client.ts';

type CreateOptions = CatalogOptions &
  ServerOptions &
  TeamOptions & {
    cron?: string;
    at?: string;
    days?: Weekday[];
    timeZone?: string;
    overlap?: Overlap;
    catchUp?: number;
    jitter?: number;
    pauseOnFailure?: true;
    maxFailures?: FailureBudget;
    webhook?: string;
  };

const examples = `
The catalog is read when a batch starts, so it must be where the orchestrator can read it: a bucket, or a folder that
both machines have. A batch that still runs when the next is due, paused ones too, makes the schedule skip that one,
unless --overlap says otherwise; "describe" counts what was skipped.

Examples:
  $ npx pixart-batch schedule create nightly gs://my-bucket/catalogs/today.csv --at 22:00 --days monday,friday \\
      --time-zone Europe/Berlin --store gs://my-bucket/images
  $ npx pixart-batch schedule create weekly gs://my-bucket/catalogs/week.csv --cron "0 3 * * 1" --store gs://my-bucket/images
  $ npx pixart-batch schedule describe nightly
  $ npx pixart-batch schedule backfill nightly --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z
`;

export function scheduleCommand(): Command {
  const command = new Command('schedule').description('batches that start by the clock').addHelpText('after', examples);
  addServerOptions(addTeamOptions(addCatalogOptions(command.command('create'))))
    .description('start a batch of a catalog at certain times')
    .argument('<name>', 'begins the id of every batch that it starts')
    .argument('<catalog>', 'read when a batch starts: a path or gs:// URL')
    .addOption(new Option('--cron <expression>', 'five fields, or a macro such as @daily').conflicts(['at', 'days']))
    .option('--at <hh:mm>', 'a time of day')
    .addOption(new Option('--days <names>', 'with --at: monday,friday …; otherwise every day').argParser(weekdays))
    .option('--time-zone <name>', 'of these times, such as Europe/Berlin; otherwise UTC')
    .addOption(
      new Option('--overlap <policy>', 'where a batch still runs when the next is due; otherwise skip').choices(
        Object.keys(OVERLAPS),
      ),
    )
    .addOption(
      new Option('--catch-up <time>', 'make up for times missed within 30m, 12h or 2d; otherwise a year').argParser(
        span,
      ),
    )
    .addOption(new Option('--jitter <time>', 'start up to so much later, by chance: 10m').argParser(span))
    .option('--pause-on-failure', 'start no more once a batch has failed as a whole')
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .action(create);
  addServerOptions(command.command('list')).description('all schedules').addOption(jsonOption()).action(list);
  addServerOptions(command.command('describe'))
    .description('all about one')
    .argument('<name>')
    .addOption(jsonOption())
    .action(describe);
  const about = (verb: string, what: string) =>
    addServerOptions(command.command(verb)).description(what).argument('<name>');
  about('pause', 'start no more batches until it is resumed').action(doing(pauseSchedule, 'is paused'));
  about('resume', 'start batches again').action(doing(resumeSchedule, 'goes on'));
  about('trigger', 'start a batch now').action(
    doing(triggerSchedule, 'starts a batch, unless one still runs; "npx pixart-batch list" shows it'),
  );
  about('backfill', 'start the batches that were due in a time that has passed, one after the other')
    .requiredOption('--from <time>', 'as 2026-01-30T00:00:00Z', instant)
    .requiredOption('--to <time>', 'as 2026-01-31T00:00:00Z', instant)
    .action(backfill);
  about('delete', 'start no more batches; those that run go on').action(doing(deleteSchedule, 'is deleted'));
  return command;
}

async function create(name: string, catalog: string, options: CreateOptions): Promise<void> {
  const bundle = bundleRef(await chosenBundle(options.bundle));
  const { timeZone, overlap = 'skip', catchUp, jitter, pauseOnFailure, maxFailures, webhook } = options;
  const request = { ...batchRequest(catalog, options, bundle), team: teamOf(options), maxFailures, webhook };
  const times = { when: timesOf(options), timeZone, overlap, catchUp, jitter, pauseOnFailure };
  const trouble = await catalogTrouble(catalog, batchInput(request, name));
  if (trouble !== null) note(trouble);
  await withClient(options, (client) => createSchedule(client, { ...request, ...times, name }));
  printLine(`schedule ${name} is set; ${overlapText[overlap]}`);
}

/** What would make a batch of a catalog fail as it is now, where it would lie on this machine. It may change until it is read. */
async function catalogTrouble(catalog: string, input: CatalogInput): Promise<string | null> {
  const { url } = input.source;
  if (!url.startsWith('file:')) return null;
  if (!existsSync(new URL(url))) {
    return `${catalog} is not there yet: batches fail until it is, where the orchestrator reads it`;
  }
  try {
    const jobs = requestedJobs(input, { catalog: new Uint8Array(), terms: new Map() }, catalog);
    while (!(await jobs.next()).done);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `${error.message}\nUntil this is mended, batches fail.`;
  }
}

function timesOf({ cron, at, days = [] }: CreateOptions): ScheduleTimes {
  if (cron !== undefined) return { cron };
  if (at !== undefined) return { at, days };
  throw new UserError(
    'expected the times at which batches start, with --at or --cron, such as --at 22:00; found neither',
  );
}

const overlapText: Record<Overlap, string> = {
  skip: 'a time at which a batch still runs is skipped',
  'wait-one': 'where a batch still runs, one more waits',
  'wait-all': 'where a batch still runs, all that are due wait',
  'cancel-running': 'a batch that still runs is cancelled when the next is due',
  'run-both': 'batches may run at the same time',
};

async function list(options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    const schedules = await collect(listSchedules(client));
    if (options.json) return schedules.forEach(printJson);
    if (schedules.length === 0) return note('no schedule yet');
    printLine(table([['schedule', 'when', 'time zone', 'next (UTC)', 'catalog', 'store'], ...schedules.map(row)]));
  });
}

const row = ({ name, when, timeZone, next, paused, catalog, store }: ScheduleListing): string[] => [
  name,
  when,
  timeZone,
  paused ? 'paused' : next[0] === undefined ? 'never' : timeText(next[0]),
  catalog,
  store,
];

async function describe(name: string, options: ServerOptions & JsonOptions): Promise<void> {
  const details = await withClient(options, (client) => describeSchedule(client, name));
  if (options.json) printJson(details);
  else printLine(`schedule ${name}${details.paused ? ' is paused' : ''}\n${detailsText(details)}`);
}

const detailsText = (of: ScheduleDetails): string =>
  table([
    ['  when', `${of.when}, ${of.timeZone}`],
    ['  next (UTC)', of.paused ? 'none while it is paused' : of.next.slice(0, 3).map(timeText).join(', ')],
    ['  last due (UTC)', of.recent.slice(0, 3).map(timeText).join(', ') || 'never'],
    ['  running', String(of.running)],
    ['  overlap', overlapText[of.overlap]],
    ['  skipped', `${of.skipped.overlap} because a batch still ran, ${of.skipped.missed} because they came too late`],
    ['  catch-up', spanText(of.catchUpMs)],
    ['  jitter', of.jitterMs === 0 ? 'none' : spanText(of.jitterMs)],
    ['  pause on failure', of.pauseOnFailure ? 'yes' : 'no'],
    ...(of.note === null ? [] : [['  note', of.note]]),
    ['  catalog', of.catalog],
    ['  store', of.store],
  ]);

type Act = typeof pauseSchedule;

const doing =
  (act: Act, said: string) =>
  async (name: string, options: ServerOptions): Promise<void> => {
    await withClient(options, (client) => act(client, name));
    printLine(`schedule ${name} ${said}`);
  };

async function backfill(name: string, options: ServerOptions & { from: Date; to: Date }): Promise<void> {
  await withClient(options, (client) => backfillSchedule(client, name, options.from, options.to));
  printLine(`schedule ${name} starts what was due then, one batch after the other; "npx pixart-batch list" shows them`);
}

function weekdays(text: string): Weekday[] {
  return text.split(',').map((name) => {
    const day = WEEKDAYS.find((known) => known === name.trim().toLowerCase());
    if (day === undefined) throw new InvalidArgumentError(`Expected some of ${WEEKDAYS.join(', ')}.`);
    return day;
  });
}

const UNITS_MS: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function span(text: string): number {
  const found = /^(\d{1,6})([smhd])$/.exec(text);
  if (found === null) throw new InvalidArgumentError('Expected a time such as 30m, 12h or 2d.');
  return Number(found[1]) * UNITS_MS[found[2]!]!;
}

/** The largest unit that gives a whole number. */
function spanText(ms: number): string {
  const [unit, size] = Object.entries(UNITS_MS).findLast(([, size]) => ms % size === 0) ?? ['s', 1_000];
  return `${ms / size}${unit}`;
}

function instant(text: string): Date {
  const time = new Date(text);
  if (/^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('Expected a time such as 2026-01-30T00:00:00Z.');
}
