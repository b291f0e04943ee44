import { Command } from 'commander';
import {
  backfillSchedule,
  deleteSchedule,
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../../client/index.ts';
import { printLine } from '../../display/output.ts';
import { addServerOptions, type ServerOptions } from '../../options/common-options.ts';
import { instant } from '../../options/values.ts';
import { withClient } from '../../with-client.ts';

/** What a person does to a schedule by its name, in the order in which help lists them. */
export const controlCommands = (): Command[] => [
  about('pause', 'start no more batches until it is resumed').action(doing(pauseSchedule, 'is paused')),
  about('resume', 'start batches again').action(doing(resumeSchedule, 'goes on')),
  about('trigger', 'start a batch now').action(
    doing(triggerSchedule, 'starts a batch, unless one still runs; "npx pixart-batch list" shows it'),
  ),
  about('backfill', 'start the batches that were due in a time that has passed, one after the other')
    .requiredOption('--from <time>', 'as 2026-01-30T00:00:00Z', instant)
    .requiredOption('--to <time>', 'as 2026-01-31T00:00:00Z', instant)
    .action(backfill),
  about('delete', 'start no more batches; those that run go on').action(doing(deleteSchedule, 'is deleted')),
];

const about = (verb: string, what: string): Command =>
  addServerOptions(new Command(verb)).description(what).argument('<name>');

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
