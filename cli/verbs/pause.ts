import { Command } from 'commander';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { changeBatch } from '../with-client.ts';

const examples = `
Images in hand are finished; everything else waits, however long. "resume" continues the batch, "cancel" ends it.

Examples:
  $ npx pixart-batch pause catalog-20260131T093000Z
`;

export const pauseCommand = (): Command =>
  addServerOptions(new Command('pause'))
    .argument('<batch>')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((batch: string, options: ServerOptions & JsonOptions) =>
      changeBatch(batch, { kind: 'pause' }, options, 'is paused'),
    );
