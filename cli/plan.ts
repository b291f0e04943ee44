import { Command } from 'commander';
import { type PlanSummary, SummaryBuilder } from '../catalog/summary.ts';
import { batchInput } from '../client/batch-request.ts';
import { requestedJobs } from '../client/requested-jobs.ts';
import { bundleRef } from '../models/pixart/bundle.ts';
import { chosenBundle } from './chosen-bundle.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions, type JsonOptions, jsonOption } from './options.ts';
import { note, printJson, printLine, table } from './output.ts';

const examples = `
Examples:
  $ npx pixart-batch plan catalog.csv
  $ npx pixart-batch plan prompts.tsv --column prompt=Prompt --size 512
  $ npx pixart-batch plan gs://my-bucket/catalogs/spring.jsonl --json
`;

export const planCommand = (): Command =>
  addCatalogOptions(new Command('plan'))
    .description('check a catalog and show what it would render; nothing is written and no server is needed')
    .argument('<catalog>', 'a .csv, .tsv or .jsonl file: a path or gs:// URL')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(plan);

async function plan(catalog: string, options: CatalogOptions & JsonOptions): Promise<void> {
  const bundle = bundleRef(await chosenBundle(options.bundle));
  const input = batchInput(batchRequest(catalog, options, bundle), 'plan');
  const builder = new SummaryBuilder();
  const files = { catalog: new Uint8Array(), terms: new Map() };
  for await (const job of requestedJobs(input, files, catalog)) builder.add(job);
  const summary = builder.summary();
  if (summary.unexpanded > 0 && input.source.expansion === undefined) note(expansionHint(summary));
  if (options.json) return printJson({ catalog, bundle, ...summary });
  printLine(`${catalog}: ${summaryText(summary)}, with bundle ${bundle.name}`);
  printLine(table([['size', 'sampled', 'jobs'], ...summary.bins.map(binRow)]));
  if (summary.metadata.length > 0) printLine(`carried along to the manifest: ${summary.metadata.join(', ')}`);
}

const binRow = ({ size, bin, jobs }: PlanSummary['bins'][number]): string[] => [
  size,
  `${bin.width}×${bin.height}`,
  String(jobs),
];

/** `24 rows, 24 jobs, 22 different images` */
export const summaryText = ({ rows, jobs, images }: PlanSummary): string =>
  `${count(rows, 'row')}, ${count(jobs, 'job')}, ${count(images, 'different image')}`;

/** What might surprise whoever wrote `{red|blue}`. */
export const expansionHint = ({ unexpanded }: PlanSummary): string =>
  `${count(unexpanded, 'row')} with {a|b} or __name__ in the prompt, taken as it stands; --expand makes every combination`;

const count = (number: number, thing: string): string => `${number} ${thing}${number === 1 ? '' : 's'}`;
