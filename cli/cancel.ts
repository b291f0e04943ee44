import { Command } from 'commander';
import { batchEnd, cancelBatch } from '../client/index.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from './options.ts';
import { note, printJson, printLine } from './output.ts';
import { tellEnd } from './tell-end.ts';
import { withClient } from './with-client.ts';

const examples = `
Running images stop within a step; the manifest lists what was finished. "retry" renders the rest later.

Examples:
  $ npx pixart-batch cancel catalog-20260131T093000Z
  $ npx pixart-batch cancel catalog-20260131T093000Z --wait
`;

export const cancelCommand = (): Command =>
  addServerOptions(new Command('cancel'))
    .description('stop a batch; what is finished stays')
    .argument('<batch>')
    .option('--wait', 'until it has stopped and its manifest is written')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(cancel);

async function cancel(batch: string, options: ServerOptions & JsonOptions & { wait?: true }): Promise<void> {
  const json = options.json === true;
  await withClient(options, async (client) => {
    await cancelBatch(client, batch);
    if (!options.wait) return json ? printJson({ batch, cancelling: true }) : printLine(`batch ${batch} is stopping`);
    note(`batch ${batch} is stopping …`);
    await tellEnd(client, batch, await batchEnd(client, batch), json);
  });
}
