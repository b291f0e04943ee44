import { Command } from 'commander';
import { type BatchListing, batchProgress, describeBatch } from '../client/index.ts';
import type { BatchProgress } from '../workflows/contract.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from './options.ts';
import { printJson, printLine, table, timeText } from './output.ts';
import { outcomeText } from './progress-display.ts';
import { totalsText } from './tell-end.ts';
import { withClient } from './with-client.ts';

const examples = `
Examples:
  $ npx pixart-batch status catalog-20260131T093000Z
  $ npx pixart-batch status catalog-20260131T093000Z --json | jq .progress.totals.failed
`;

export const statusCommand = (): Command =>
  addServerOptions(new Command('status'))
    .description('how far a batch is, once')
    .argument('<batch>')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(status);

async function status(batch: string, options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    const listing = await describeBatch(client, batch);
    const progress = await batchProgress(client, batch);
    if (options.json) return printJson({ ...listing, progress });
    printLine(describe(listing, progress));
  });
}

function describe(listing: BatchListing, { totals, bySize, recentFailures }: BatchProgress): string {
  const { batch, round, state, catalog, store, bundle, startedAt, endedAt } = listing;
  const sizes = Object.entries(bySize).map(([size, counts]) => [
    `  ${size} px`,
    `${counts.jobs} ${counts.jobs === 1 ? 'job' : 'jobs'}, ${outcomeText(counts)}`,
  ]);
  return [
    `batch ${batch} ${state}: ${totalsText(totals)}`,
    table([
      ...sizes,
      ['  catalog', catalog],
      ['  store', store],
      ['  bundle', bundle],
      ['  round', String(round)],
      ['  started', timeText(startedAt)],
      ...(endedAt === null ? [] : [['  ended', timeText(endedAt)]]),
    ]),
    ...recentFailures.map(({ id, reason }) => `  ${id}: ${reason}`),
  ].join('\n');
}
