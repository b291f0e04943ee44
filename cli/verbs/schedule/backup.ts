import { Command } from 'commander';
import { exportSchedules, type ImportedSchedule, importSchedules } from '../../../client/index.ts';
import { readUrl, storeUrl } from '../../../store/index.ts';
import { note, printJson, printLine } from '../../display/output.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../../options/common-options.ts';
import { withClient } from '../../with-client.ts';

export const exportCommand = (): Command =>
  addServerOptions(new Command('export'))
    .description('print all schedules, one JSON value per line, to back them up')
    .action(exportAll);

export const importCommand = (): Command =>
  addServerOptions(new Command('import'))
    .description('recreate the schedules of an exported file; existing schedules are left as they are')
    .argument('<file>')
    .addOption(jsonOption())
    .action(importAll);

async function exportAll(options: ServerOptions): Promise<void> {
  await withClient(options, async (client) => {
    for await (const saved of exportSchedules(client)) printJson(saved);
  });
}

async function importAll(file: string, options: ServerOptions & JsonOptions): Promise<void> {
  const text = Buffer.from(await readUrl(storeUrl(file), 'schedules')).toString('utf8');
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  const imported = await withClient(options, (client) => importSchedules(client, lines, file));
  if (options.json) return imported.forEach(printJson);
  if (imported.length === 0) note(`${file} has no schedules`);
  for (const each of imported) printLine(importedText(each));
}

function importedText({ name, outcome, paused }: ImportedSchedule): string {
  if (outcome === 'exists') return `schedule ${name} exists, so it is left as it is`;
  return `schedule ${name} is recreated${paused ? ', paused as before' : ''}`;
}
