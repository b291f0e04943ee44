import { Command } from 'commander';
import {
  backfillSchedule,
  deleteSchedule,
  type PausedSchedule,
  pauseSchedule,
  type ResumedSchedule,
  resumeSchedule,
  type TriggeredSchedule,
  triggerSchedule,
} from '../../../client/index.ts';
import { note, printJson, printLine } from '../../display/output.ts';
import { EXIT } from '../../exit-codes.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../../options/common-options.ts';
import { instant } from '../../options/values.ts';
import { withClient } from '../../with-client.ts';

/** Commands that act on one schedule, in the order of `--help`. */
export const controlCommands = (): Command[] => [
  about('pause', 'pause a schedule: it starts no more batches until it is resumed').action(pause),
  about('resume', 'resume a paused schedule').action(resume),
  about('trigger', 'start a batch now, if the overlap policy allows it; works while paused too').action(trigger),
  about('backfill', 'start the batches that were due in a past period, one after another')
    .requiredOption('--from <time>', 'start of the period, such as 2026-01-30T00:00:00Z', instant)
    .requiredOption('--to <time>', 'end of the period, such as 2026-01-31T00:00:00Z', instant)
    .action(backfill),
  about('delete', 'delete a schedule; its running batches continue').action(remove),
];

const about = (verb: string, what: string): Command =>
  addServerOptions(new Command(verb)).description(what).argument('<name>').addOption(jsonOption());

type ControlOptions = ServerOptions & JsonOptions;

/** Prints what was done as text, or all the details as JSON. */
function say({ json }: JsonOptions, name: string, text: string, details: object): void {
  if (json) printJson({ name, ...details });
  else printLine(`schedule ${name} ${text}`);
}

async function pause(name: string, options: ControlOptions): Promise<void> {
  const paused = await withClient(options, (client) => pauseSchedule(client, name));
  say(options, name, 'is paused', { paused: true, ...paused });
  if (paused.waiting > 0) note(waitingText(name, paused));
}

function waitingText(name: string, { waiting, due }: PausedSchedule): string {
  const waits = waiting === 1 ? 'a batch waits' : `${waiting} batches wait`;
  if (due.length === 0) return `${waits} for the running one; triggered and backfilled batches start nevertheless`;
  return [
    `${waits} for the running one. Batches that were due are dropped if the schedule is still paused when that one ends. To run them later:`,
    ...due.map((time) => `  ${backfillCommand(name, time)}`),
  ].join('\n');
}

/** The command that starts only the batch that was due at this time. */
const backfillCommand = (name: string, due: Date): string =>
  `npx pixart-batch schedule backfill ${name} --from ${new Date(+due - 1_000).toISOString()} --to ${due.toISOString()}`;

async function resume(name: string, options: ControlOptions): Promise<void> {
  const resumed = await withClient(options, (client) => resumeSchedule(client, name));
  say(options, name, 'is resumed', { paused: false, ...resumed });
  if (resumed.unnoticed !== null) note(unnoticedText(name, resumed));
}

const unnoticedText = (name: string, { unnoticed, next }: ResumedSchedule): string =>
  [
    `batch ${unnoticed} failed, and the server has not noticed yet. If it pauses the schedule again when the next batch is due,`,
    'it skips that batch. Then resume again, and start the batch with',
    ...(next === null ? [] : [`  ${backfillCommand(name, next)}`]),
  ].join('\n');

async function trigger(name: string, options: ControlOptions): Promise<void> {
  const triggered = await withClient(options, (client) => triggerSchedule(client, name));
  say(options, name, triggeredText(triggered), triggered);
  if (triggered.outcome === 'skipped') process.exitCode = EXIT.imagesMissing;
}

function triggeredText(triggered: TriggeredSchedule): string {
  if (triggered.outcome === 'started') return `starts batch ${triggered.batch}`;
  const running = triggered.running.length === 0 ? 'another batch' : triggered.running.join(', ');
  const texts = {
    skipped: `starts no batch: ${running} is still running`,
    waiting: `will start a batch when ${running} has ended`,
    asked: 'is triggered, but the server has not started the batch yet: "describe" shows when it has',
  };
  return texts[triggered.outcome];
}

const batchesText = (count: number): string => (count === 1 ? 'a batch' : `${count} batches`);

/** The most that a server reports at once. */
const MOST_DUE = 1_000;

async function backfill(name: string, options: ControlOptions & { from: Date; to: Date }): Promise<void> {
  const due = await withClient(options, (client) => backfillSchedule(client, name, options.from, options.to));
  const many = due.length < MOST_DUE ? batchesText(due.length) : `${MOST_DUE} batches or more`;
  const text = `starts what was due then, ${many}, one after another; "npx pixart-batch list" shows them`;
  say(options, name, text, { due });
}

async function remove(name: string, options: ControlOptions): Promise<void> {
  await withClient(options, (client) => deleteSchedule(client, name));
  say(options, name, 'is deleted', { deleted: true });
}
