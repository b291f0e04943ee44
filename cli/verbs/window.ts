import { Command } from 'commander';
import { MAX_WINDOW } from '../../client/index.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';
import { changeBatch } from '../with-client.ts';

const examples = `
Images in hand are finished, even if there are more of them than the new window allows.

Examples:
  $ npx pixart-batch window catalog-20260131T093000Z 8
`;

export const windowCommand = (): Command =>
  addServerOptions(new Command('window'))
    .argument('<batch>')
    .argument('<n>', 'images in flight at once, per size', wholeNumber(1, MAX_WINDOW))
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((batch: string, window: number, options: ServerOptions & JsonOptions) =>
      changeBatch(batch, { kind: 'window', window }, options, `now has a window of ${window}`),
    );
