import { Command } from 'commander';
import type { FailureBudget } from '../../client/index.ts';
import { failureBudgetOption } from '../options/batch-options.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { changeBatch } from '../with-client.ts';

const examples = `
A batch that paused itself gets its failure budget again, or a new one.

Examples:
  $ npx pixart-batch resume catalog-20260131T093000Z
  $ npx pixart-batch resume catalog-20260131T093000Z --max-failures 20%
`;

type Options = ServerOptions & JsonOptions & { maxFailures?: FailureBudget };

export const resumeCommand = (): Command =>
  addServerOptions(new Command('resume'))
    .argument('<batch>')
    .addOption(failureBudgetOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action((batch: string, { maxFailures, ...options }: Options) =>
      changeBatch(batch, { kind: 'resume', ...(maxFailures && { maxFailures }) }, options, 'continues'),
    );
