import { existsSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import {
  type CatalogTrouble,
  type ClockChange,
  type CreatedSchedule,
  chosenBundle,
  createSchedule,
  type FailureBudget,
  OVERLAPS,
  type Overlap,
  type ScheduleRequest,
  type ScheduleTimes,
  scheduledCatalog,
  WEEKDAYS,
  type Weekday,
} from '../../../client/index.ts';
import { CATALOG_ENDINGS } from '../../../domain/catalog-settings.ts';
import { zonedText } from '../../../domain/time-zone.ts';
import { UserError } from '../../../domain/user-error.ts';
import { storeUrl } from '../../../store/index.ts';
import { checkAllowedHere, type Wanted } from '../../allowed-here.ts';
import { note, printLine, table } from '../../display/output.ts';
import { planNotes } from '../../display/plan-text.ts';
import {
  addTeamOptions,
  failureBudgetOption,
  type TeamOptions,
  teamOf,
  webhookOption,
} from '../../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../../options/catalog-options.ts';
import { addServerOptions, type ServerOptions } from '../../options/common-options.ts';
import { span } from '../../options/values.ts';
import { withClient } from '../../with-client.ts';
import { overlapText } from './show.ts';

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

export const createCommand = (): Command =>
  addServerOptions(addTeamOptions(addCatalogOptions(new Command('create'))))
    .description('start a batch of a catalog at certain times')
    .argument('<name>', 'begins the id of every batch that it starts')
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file, read when a batch starts: a path or gs:// URL`)
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
      new Option(
        '--catch-up <time>',
        'make up for times missed within 30m, 12h or 2d; otherwise a year. Of several missed, --overlap skip starts the oldest only',
      ).argParser(span),
    )
    .addOption(new Option('--jitter <time>', 'start up to so much later, by chance: 10m').argParser(span))
    .option('--pause-on-failure', 'start no more once a batch has failed as a whole, noticed when the next is due')
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .action(create);

async function create(name: string, catalog: string, options: CreateOptions): Promise<void> {
  const bundle = await chosenBundle(options.bundle);
  const { timeZone, overlap = 'skip', catchUp, jitter, pauseOnFailure, maxFailures, webhook } = options;
  const request = {
    ...batchRequest(catalog, options, bundle),
    team: teamOf(options),
    maxFailures,
    webhook,
    name,
    when: timesOf(options),
    timeZone,
    overlap,
    catchUp,
    jitter,
    pauseOnFailure,
  };
  const known = await scheduledCatalog(request);
  if (known.trouble !== null) note(troubleText(catalog, known.trouble));
  else if (known.plan) for (const line of planNotes(known.plan, request)) note(line);
  const created = await withClient(options, async (client) => {
    await checkAllowedHere(client, wantedBy(request));
    return createSchedule(client, request);
  });
  printLine(`schedule ${name} is set; ${overlapText[overlap]}\n${nextText(created)}`);
  for (const uneven of created.uneven) note(`cron ${uneven}`);
  for (const change of created.clockChanges) note(clockChangeText(change, created.timeZone));
}

const nextText = ({ next, timeZone }: CreatedSchedule): string =>
  table(next.slice(0, 3).map((time, at) => [at === 0 ? `next (${timeZone})` : '', zonedText(time, timeZone)]));

const clockChangeText = ({ from, to, batches }: ClockChange, timeZone: string): string =>
  [
    `clocks in ${timeZone} go from ${from} to ${to}. Another time of day, or --time-zone UTC, avoids that`,
    ...batches.map(({ time, happens }) => `  the batch of ${time} ${HAPPENS[happens]}`),
  ].join('\n');

const HAPPENS: Record<ClockChange['batches'][number]['happens'], string> = {
  'left out': 'is left out',
  twice: 'comes twice',
  'at its second': 'comes once, when clocks show that time again',
  'unasked for': 'comes, though it is none of the times given',
};

/** Terms that lie beside the catalog are read where there are some. */
function wantedBy({ store, catalog, webhook, expansion }: ScheduleRequest): Wanted {
  const beside = new URL('terms', storeUrl(catalog));
  const terms =
    expansion && (expansion.terms ?? (beside.protocol === 'file:' && existsSync(beside) ? beside.href : undefined));
  return { store, catalog, terms, webhook };
}

const troubleText = (catalog: string, trouble: CatalogTrouble): string =>
  trouble === 'missing'
    ? `${catalog} is not there yet: batches fail until it is, where the orchestrator reads it`
    : `${trouble.message}\nUntil this is mended, batches fail.`;

function timesOf({ cron, at, days = [] }: CreateOptions): ScheduleTimes {
  if (cron !== undefined) return { cron };
  if (at !== undefined) return { at, days };
  throw new UserError(
    'expected the times at which batches start, with --at or --cron, such as --at 22:00; found neither',
  );
}

function weekdays(text: string): Weekday[] {
  return text.split(',').map((name) => {
    const day = WEEKDAYS.find((known) => known === name.trim().toLowerCase());
    if (day === undefined) throw new InvalidArgumentError(`Expected some of ${WEEKDAYS.join(', ')}.`);
    return day;
  });
}
