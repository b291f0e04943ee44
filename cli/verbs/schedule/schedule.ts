import { Command } from 'commander';
import { exportCommand, importCommand } from './backup.ts';
import { controlCommands } from './control.ts';
import { createCommand } from './create.ts';
import { describeCommand, listCommand } from './show.ts';
import { updateCommand } from './update.ts';

const examples = `
The catalog is read when a batch starts, so it must be where the orchestrator can read it: a bucket, or a folder that
both machines have. A batch that still runs when the next is due, paused ones too, makes the schedule skip that one,
unless --overlap says otherwise; "describe" counts what was skipped. Where clocks are put forward or back, some times do not
come or come twice: "create" tells which within a year. A batch that would come to more than --max-jobs or --max-cost is
refused when it is due: "list" and "describe" say so, and its webhook is told.

Examples:
  $ npx pixart-batch schedule create nightly gs://my-bucket/catalogs/today.csv --at 22:00 --days monday,friday \\
      --time-zone Europe/Berlin --store gs://my-bucket/images
  $ npx pixart-batch schedule create weekly gs://my-bucket/catalogs/week.csv --cron "0 3 * * 1" --store gs://my-bucket/images
  $ npx pixart-batch schedule create icons catalog.csv --at 22:00 --max-jobs 500 --max-cost 20 --cost-per-hour 2.5
  $ npx pixart-batch schedule update nightly --at 23:00 --window 32
  $ npx pixart-batch schedule create nightly catalog.xlsx --at 22:00 --webhook mailto:lead@studio.example     (a report each morning)
  $ npx pixart-batch schedule describe nightly
  $ npx pixart-batch schedule backfill nightly --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z
  $ npx pixart-batch schedule export > schedules.jsonl      (with webhooks' addresses: keep it as you keep secrets)
  $ npx pixart-batch schedule import schedules.jsonl
`;

export function scheduleCommand(): Command {
  const command = new Command('schedule').addHelpText('after', examples);
  const verbs = [
    createCommand(),
    updateCommand(),
    listCommand(),
    describeCommand(),
    ...controlCommands(),
    exportCommand(),
    importCommand(),
  ];
  for (const each of verbs) command.addCommand(each);
  return command;
}
