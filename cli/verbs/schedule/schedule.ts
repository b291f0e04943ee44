import { Command } from 'commander';
import { exportCommand, importCommand } from './backup.ts';
import { controlCommands } from './control.ts';
import { createCommand } from './create.ts';
import { describeCommand, listCommand } from './show.ts';
import { updateCommand } from './update.ts';

const examples = `
The catalog is read when a batch starts, so the orchestrator must be able to read it: from a bucket, or a folder that
both machines share. If a batch is still running or paused when the next is due, the schedule skips that one unless
--overlap says otherwise; "describe" counts the skipped ones. When clocks change, some times are skipped or come twice:
"create" lists those within a year. A batch that would exceed --max-jobs or --max-cost is refused when it is due: "list"
and "describe" say so, and its webhook is called.

Examples:
  $ npx pixart-batch schedule create nightly gs://my-bucket/catalogs/today.csv --at 22:00 --days monday,friday \\
      --time-zone Europe/Berlin --store gs://my-bucket/images
  $ npx pixart-batch schedule create weekly gs://my-bucket/catalogs/week.csv --cron "0 3 * * 1" --store gs://my-bucket/images
  $ npx pixart-batch schedule create icons catalog.csv --at 22:00 --max-jobs 500 --max-cost 20 --cost-per-hour 2.5
  $ npx pixart-batch schedule update nightly --at 23:00 --window 32
  $ npx pixart-batch schedule create nightly catalog.xlsx --at 22:00 --webhook mailto:lead@studio.example     (a report each morning)
  $ npx pixart-batch schedule describe nightly
  $ npx pixart-batch schedule backfill nightly --from 2026-01-30T00:00:00Z --to 2026-01-31T00:00:00Z
  $ npx pixart-batch schedule export > schedules.jsonl      (includes webhook addresses: treat it as a secret)
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
