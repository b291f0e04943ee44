import { Command } from 'commander';
import {
  createSchedule,
  deleteSchedule,
  listSchedules,
  type ScheduleListing,
  triggerSchedule,
} from '../client/index.ts';
import { bundleRef } from '../models/pixart/bundle.ts';
import { chosenBundle } from './chosen-bundle.ts';
import {
  addCatalogOptions,
  addServerOptions,
  batchRequest,
  type CatalogOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
} from './options.ts';
import { collect, note, printJson, printLine, table, timeText } from './output.ts';
import { withClient } from './with-client.ts';

type CreateOptions = CatalogOptions & ServerOptions & { cron: string; timeZone?: string };

const examples = `
The catalog is read when a batch starts, so it must be where the orchestrator can read it: a bucket, or a folder that
both machines have. A batch that still runs when the next is due makes the schedule skip that one.

Examples:
  $ npx pixart-batch schedule create nightly gs://my-bucket/catalogs/today.csv --cron "0 22 * * *" \\
      --time-zone Europe/Berlin --store gs://my-bucket/images
  $ npx pixart-batch schedule trigger nightly
`;

export function scheduleCommand(): Command {
  const command = new Command('schedule').description('batches that start by the clock').addHelpText('after', examples);
  addServerOptions(addCatalogOptions(command.command('create')))
    .description('start a batch of a catalog whenever a cron expression says')
    .argument('<name>', 'begins the id of every batch that it starts')
    .argument('<catalog>', 'read when a batch starts: a path or gs:// URL')
    .requiredOption('--cron <expression>', 'five fields, or a macro such as @daily')
    .option('--time-zone <name>', 'of the cron expression, such as Europe/Berlin; otherwise UTC')
    .action(create);
  addServerOptions(command.command('list')).description('all schedules').addOption(jsonOption()).action(list);
  addServerOptions(command.command('trigger')).description('start a batch now').argument('<name>').action(trigger);
  addServerOptions(command.command('delete'))
    .description('start no more batches; those that run go on')
    .argument('<name>')
    .action(remove);
  return command;
}

async function create(name: string, catalog: string, options: CreateOptions): Promise<void> {
  const bundle = bundleRef(await chosenBundle(options.bundle));
  const { cron, timeZone } = options;
  await withClient(options, (client) =>
    createSchedule(client, { ...batchRequest(catalog, options, bundle), name, cron, timeZone }),
  );
  printLine(`schedule ${name} is set`);
}

async function list(options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    const schedules = await collect(listSchedules(client));
    if (options.json) return schedules.forEach(printJson);
    if (schedules.length === 0) return note('no schedule yet');
    printLine(table([['schedule', 'cron', 'time zone', 'next', 'catalog', 'store'], ...schedules.map(row)]));
  });
}

const row = ({ name, cron, timeZone, next, paused, catalog, store }: ScheduleListing): string[] => [
  name,
  cron,
  timeZone,
  paused ? 'paused' : next[0] === undefined ? 'never' : timeText(next[0]),
  catalog,
  store,
];

async function trigger(name: string, options: ServerOptions): Promise<void> {
  await withClient(options, (client) => triggerSchedule(client, name));
  printLine(`schedule ${name}: a batch is starting; "npx pixart-batch list" shows it`);
}

async function remove(name: string, options: ServerOptions): Promise<void> {
  await withClient(options, (client) => deleteSchedule(client, name));
  printLine(`schedule ${name} is deleted`);
}
