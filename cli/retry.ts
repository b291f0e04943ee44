import { Command } from 'commander';
import { retryBatch } from '../client/index.ts';
import { watchToTheEnd } from './follow-batch.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from './options.ts';
import { printJson, printLine } from './output.ts';
import { withClient } from './with-client.ts';

const examples = `
Examples:
  $ npx pixart-batch retry catalog-20260131T093000Z
  $ npx pixart-batch retry catalog-20260131T093000Z --wait
`;

export const retryCommand = (): Command =>
  addServerOptions(new Command('retry'))
    .description('render what a batch that has ended still lacks: failed rows and those a cancellation left out')
    .argument('<batch>')
    .option('--wait', 'show progress until it has ended')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(retry);

async function retry(batch: string, options: ServerOptions & JsonOptions & { wait?: true }): Promise<void> {
  const json = options.json === true;
  await withClient(options, async (client) => {
    const round = await retryBatch(client, batch);
    if (json) printJson({ batch, round });
    else printLine(`batch ${batch}: round ${round} has started`);
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
  });
}
