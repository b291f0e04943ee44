import { Command } from 'commander';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Ctrl-C does not affect the batch. --json prints a line per change, and one at the end.

Examples:
  $ npx pixart-batch watch catalog-20260131T093000Z
  $ npx pixart-batch watch catalog-20260131T093000Z --json | jq .totals
`;

export const watchCommand = (): Command =>
  addServerOptions(new Command('watch'))
    .argument('<batch>')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(watch);

async function watch(batch: string, options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    process.exitCode = await watchToTheEnd(client, batch, options.json === true);
  });
}
