import { Command } from 'commander';
import {
  type AtMost,
  describeSchedule,
  listSchedules,
  type Overlap,
  type ScheduleDetails,
  type ScheduleListing,
  type ScheduleRun,
} from '../../../client/index.ts';
import { oneLine } from '../../../domain/printable.mjs';
import { zonedText } from '../../../domain/time-zone.ts';
import { shownPlace } from '../../../store/index.ts';
import { noteKeysMissing } from '../../display/keys-missing.ts';
import { collect, note, printJson, printLine, table } from '../../display/output.ts';
import { count } from '../../display/text.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../../options/common-options.ts';
import { spanText } from '../../options/values.ts';
import { withClient } from '../../with-client.ts';

export const listCommand = (): Command =>
  addServerOptions(new Command('list')).description('list all schedules').addOption(jsonOption()).action(list);

export const describeCommand = (): Command =>
  addServerOptions(new Command('describe'))
    .description('show everything about one schedule')
    .argument('<name>')
    .addOption(jsonOption())
    .action(describe);

export const overlapText: Record<Overlap, string> = {
  skip: 'while a batch is running, the next ones are skipped',
  'wait-one': 'while a batch is running, one more waits',
  'wait-all': 'while a batch is running, all that are due wait',
  'cancel-running': 'a batch that is still running is cancelled when the next is due',
  'run-both': 'batches may run at the same time',
};

async function list(options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    const schedules = await collect(listSchedules(client));
    if (options.json) return schedules.forEach(printJson);
    if (schedules.length === 0) return note('no schedules yet');
    printLine(table([['schedule', 'when', 'time zone', 'next', 'catalog', 'store'], ...schedules.map(row)]));
    for (const { name, fault, last } of schedules) {
      if (fault !== null) note(`schedule ${name} can no longer start batches: ${fault}. Create it again`);
      else if (last && FAILED.includes(last.state)) note(`schedule ${name}: its last batch, ${runText(last)}`);
    }
    noteKeysMissing(schedules);
  });
}

const FAILED: ScheduleRun['state'][] = ['failed', 'refused', 'terminated'];

/** `nightly-20260131T220000Z, was refused: --max-jobs: expected …` */
const runText = ({ batch, state, reason }: ScheduleRun): string =>
  `${batch}, ${state === 'failed' ? '' : 'was '}${state}${reason === null ? '' : `: ${oneLine(reason)}`}`;

const row = ({ name, when, timeZone, next, paused, fault, catalog, store }: ScheduleListing): string[] => [
  name,
  when,
  timeZone,
  fault !== null ? 'broken' : paused ? 'paused' : next[0] === undefined ? 'never' : zonedText(next[0], timeZone),
  shownPlace(catalog),
  shownPlace(store),
];

async function describe(name: string, options: ServerOptions & JsonOptions): Promise<void> {
  const details = await withClient(options, (client) => describeSchedule(client, name));
  if (options.json) printJson(details);
  else printLine(`schedule ${name}${details.paused ? ' is paused' : ''}\n${detailsText(details)}`);
}

const detailsText = (of: ScheduleDetails): string =>
  table([
    ['  when', `${of.when}, ${of.timeZone}`],
    ['  next', of.paused ? 'none while it is paused' : nextText(of)],
    ...runRows(of.runs),
    ['  running', String(of.running)],
    ...(of.waiting === 0 ? [] : [['  waiting', `${of.waiting}, for the running one`]]),
    ['  overlap', overlapText[of.overlap]],
    ['  skipped', `${of.skipped.overlap} because a batch was running, ${of.skipped.missed} because they were too late`],
    ['  catch-up', spanText(of.catchUpMs)],
    ['  jitter', of.jitterMs === 0 ? 'none' : spanText(of.jitterMs)],
    ['  pause on failure', pauseText(of)],
    ...(of.window === null ? [] : [['  window', String(of.window)]]),
    ...(of.atMost === null ? [] : [['  at most', atMostText(of.atMost)]]),
    ...(of.tells === null ? [] : [['  webhook', of.tells]]),
    ...(of.columns === null
      ? []
      : [
          [
            '  columns',
            Object.entries(of.columns)
              .map((pair) => pair.join('='))
              .join(', '),
          ],
        ]),
    ...(of.naming === null ? [] : [['  names of copies', of.naming]]),
    ...(of.note === null ? [] : [['  note', of.note]]),
    ['  catalog', shownPlace(of.catalog)],
    ['  store', shownPlace(of.store)],
  ]);

/** `500 images to render, 20 at 2.5 an hour` */
const atMostText = ({ images, cost }: AtMost): string =>
  [
    ...(images === undefined ? [] : [`${count(images, 'image')} to render`]),
    ...(cost === undefined ? [] : [`${cost.amount} at ${cost.perHour} an hour`]),
  ].join(', ');

const nextText = ({ next, timeZone }: ScheduleDetails): string =>
  next
    .slice(0, 3)
    .map((time) => zonedText(time, timeZone))
    .join(', ');

function runRows(runs: ScheduleRun[]): string[][] {
  if (runs.length === 0) return [['  last batches', 'none']];
  return runs
    .slice(0, 3)
    .map(({ batch, cause, state, reason }, at) => [
      at === 0 ? '  last batches' : '',
      `${batch} (${cause}): ${state}${reason === null ? '' : `, ${oneLine(reason)}`}`,
    ]);
}

const pauseText = ({ pauseOnFailure, unnoticed }: ScheduleDetails): string =>
  unnoticed === null
    ? pauseOnFailure
      ? 'yes'
      : 'no'
    : `yes: ${unnoticed} failed, so it pauses when the next is due, and skips that one`;
