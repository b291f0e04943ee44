import { Command } from 'commander';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';
import { changeBatch } from '../with-client.ts';

const examples = `
1 is first, 5 is last; batches start at 3. Rows with their own priority keep their distance from the others.

Examples:
  $ npx pixart-batch priority urgent-20260131T093000Z 1
`;

export const priorityCommand = (): Command =>
  addServerOptions(new Command('priority'))
    .argument('<batch>')
    .argument('<n>', '1 (first) to 5 (last)', wholeNumber(1, 5))
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((batch: string, priority: number, options: ServerOptions & JsonOptions) =>
      changeBatch(batch, { kind: 'priority', priority }, options, `has priority ${priority}`),
    );
