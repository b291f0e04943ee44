import { existsSync } from 'node:fs';
import { Command } from 'commander';
import {
  type CatalogTrouble,
  type ClockChange,
  chosenBundle,
  createSchedule,
  type FailureBudget,
  type ScheduledCatalog,
  type ScheduleForecast,
  type ScheduleRequest,
  scheduledCatalog,
} from '../../../client/index.ts';
import type { AtMost } from '../../../domain/at-most.ts';
import { CATALOG_ENDINGS } from '../../../domain/catalog-settings.ts';
import { zonedText } from '../../../domain/time-zone.ts';
import { UserError } from '../../../domain/user-error.ts';
import { checkAtMost } from '../../../records/at-most.ts';
import { storeUrl } from '../../../store/index.ts';
import { checkAllowedHere, type Wanted } from '../../allowed-here.ts';
import { limitsKeptText } from '../../display/estimate-text.ts';
import { silenceOf } from '../../display/message-text.ts';
import { note, printJson, printLine, table } from '../../display/output.ts';
import { planNotes } from '../../display/plan-text.ts';
import {
  type AtMostOptions,
  addTeamOptions,
  atMostOf,
  costOption,
  failureBudgetOption,
  maxCostOption,
  maxJobsOption,
  type TeamOptions,
  teamOf,
  webhookOption,
  windowOption,
} from '../../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../../options/catalog-options.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../../options/common-options.ts';
import { addScheduleOptions, type ScheduleOptions, timesOf } from '../../options/schedule-options.ts';
import { withClient } from '../../with-client.ts';
import { overlapText } from './show.ts';

type CreateOptions = CatalogOptions &
  ServerOptions &
  JsonOptions &
  TeamOptions &
  AtMostOptions &
  ScheduleOptions & { pauseOnFailure?: true; window?: number; maxFailures?: FailureBudget; webhook?: string };

export const createCommand = (): Command =>
  addServerOptions(addRunOptions(addTeamOptions(addScheduleOptions(addCatalogOptions(new Command('create'))))))
    .description('create a schedule that starts batches of a catalog')
    .argument('<name>', 'name of the schedule; the ids of its batches begin with it')
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file, read when a batch starts: a path or gs:// URL`)
    .addOption(jsonOption())
    .action(create);

/** How each of its batches runs, and its limits. */
export const addRunOptions = (command: Command): Command =>
  command
    .addOption(windowOption())
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .addOption(maxJobsOption())
    .addOption(maxCostOption())
    .addOption(costOption('price of one device per hour, for --max-cost'));

async function create(name: string, catalog: string, options: CreateOptions): Promise<void> {
  const bundle = await chosenBundle(options.bundle);
  const { timeZone, overlap = 'skip', catchUp, jitter, pauseOnFailure, window, maxFailures, webhook } = options;
  const when = timesOf(options);
  if (when === undefined) throw noTimes();
  const request: ScheduleRequest = {
    ...batchRequest(catalog, options, bundle),
    ...{ name, when, timeZone, overlap, catchUp, jitter, pauseOnFailure },
    ...{ window, team: teamOf(options), maxFailures, webhook, atMost: atMostOf(options) },
  };
  await tellOfCatalog(request);
  const created = await withClient(options, async (client) => {
    await checkAllowedHere(client, wantedBy(request));
    const set = await createSchedule(client, request);
    for (const line of await silenceOf(client, webhook)) note(line);
    return set;
  });
  if (options.json) printJson({ name, overlap, ...created });
  else printLine(`schedule ${name} is set; ${overlapText[overlap]}\n${nextText(created)}`);
  tellForecast(created);
}

async function tellOfCatalog(request: ScheduleRequest): Promise<void> {
  const known = await scheduledCatalog(request);
  if (known.trouble !== null) return note(troubleText(request.catalog, known.trouble));
  if (known.plan) for (const line of planNotes(known.plan, request)) note(line);
  const { atMost } = request;
  if (atMost === undefined || known.preview === null) return;
  note(overLimitText(known, atMost) ?? limitsKeptText(known.preview, atMost));
}

/** Why a batch of the catalog as it is now would exceed the limits; `null` if it would not, as far as is known. */
export function overLimitText(known: ScheduledCatalog, atMost: AtMost | undefined): string | null {
  if (atMost === undefined || known.trouble !== null || known.preview === null) return null;
  try {
    checkAtMost(atMost, known.preview);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `a batch of the catalog as it is now would be refused: ${error.message}`;
  }
}

const noTimes = (): UserError =>
  new UserError('expected the times at which batches start, with --at or --cron, such as --at 22:00; found neither');

/** The next three times. */
export const nextText = ({ next, timeZone }: ScheduleForecast): string =>
  table(next.slice(0, 3).map((time, at) => [at === 0 ? `next (${timeZone})` : '', zonedText(time, timeZone)]));

/** Prints what may be unexpected about these times. */
export function tellForecast({ uneven, clockChanges, timeZone }: ScheduleForecast): void {
  for (const steps of uneven) note(`cron ${steps}`);
  for (const change of clockChanges) note(clockChangeText(change, timeZone));
}

const clockChangeText = ({ from, to, batches }: ClockChange, timeZone: string): string =>
  [
    `clocks in ${timeZone} change from ${from} to ${to}. Another time of day, or --time-zone UTC, avoids this:`,
    ...batches.map(({ time, happens }) => `  the batch of ${time} ${HAPPENS[happens]}`),
  ].join('\n');

const HAPPENS: Record<ClockChange['batches'][number]['happens'], string> = {
  'left out': 'is skipped',
  twice: 'starts twice',
  'at its second': 'starts once, when clocks show that time again',
  'unasked for': 'starts although that is not one of the given times',
};

/** Terms next to the catalog are read if there are any. */
function wantedBy({ store, catalog, webhook, expansion }: ScheduleRequest): Wanted {
  const beside = new URL('terms', storeUrl(catalog));
  const terms =
    expansion && (expansion.terms ?? (beside.protocol === 'file:' && existsSync(beside) ? beside.href : undefined));
  return { store, catalog, terms, webhook };
}

export const troubleText = (catalog: string, trouble: CatalogTrouble): string =>
  trouble === 'missing'
    ? `${catalog} does not exist yet: batches fail until the orchestrator can read it there`
    : `${trouble.message}\nUntil this is fixed, batches fail.`;
