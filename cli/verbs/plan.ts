import { Command, Option } from 'commander';
import { misspeltColumns } from '../../catalog/reading/columns.ts';
import { type PlanSummary, SummaryBuilder } from '../../catalog/summary.ts';
import { batchInput } from '../../client/batch-request.ts';
import { type CutPrompts, PreviewBuilder } from '../../client/preview.ts';
import { requestedJobs } from '../../client/requested-jobs.ts';
import { changesText } from '../../domain/change-counts.ts';
import { type Bundle, bundleRef } from '../../models/pixart/bundle.ts';
import { promptLimit } from '../../models/pixart/prompt-limit.ts';
import { isTableColumn } from '../../records/manifest-table.ts';
import { changesSince } from '../../records/previous-batch.ts';
import { type ObjectStore, openStore, StoreDenied, StoreUnavailable } from '../../store/index.ts';
import { chosenBundle } from '../chosen-bundle.ts';
import { costOf, estimateText, type FleetOptions } from '../display/estimate-text.ts';
import { count, note, printJson, printLine, table } from '../display/output.ts';
import {
  addCatalogOptions,
  batchRequest,
  type CatalogOptions,
  costOption,
  type JsonOptions,
  jsonOption,
  wholeNumber,
} from '../options.ts';

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
    .addOption(
      new Option('--devices <n>', 'tell when so many would be done').default(1).argParser(wholeNumber(1, 100_000)),
    )
    .addOption(costOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(plan);

async function plan(catalog: string, options: CatalogOptions & JsonOptions & FleetOptions): Promise<void> {
  const chosen = await chosenBundle(options.bundle);
  const bundle = bundleRef(chosen);
  const input = batchInput(batchRequest(catalog, options, bundle), 'plan');
  const builder = new SummaryBuilder();
  const files = { catalog: new Uint8Array(), terms: new Map() };
  const previews = new PreviewBuilder(await promptLimit(chosen));
  const askStore = storeQuestions(input.store);
  const changes = await askStore((store) => changesSince(store, input.source.url));
  for await (const job of requestedJobs(input, files, catalog)) {
    builder.add(job);
    previews.add(job);
    changes?.add(job);
  }
  const summary = builder.summary();
  const { cutPrompts } = previews;
  const preview = await askStore((store) => previews.preview(store, bundle.digest));
  if (summary.unexpanded > 0 && input.source.expansion === undefined) note(expansionHint(summary));
  for (const hint of columnHints(summary)) note(hint);
  if (options.json)
    return printJson({
      catalog,
      bundle,
      ...summary,
      cutPrompts,
      store: input.store,
      ...preview,
      changes: changes?.counts,
      cost: preview && costOf(preview, options),
    });
  printLine(`${catalog}: ${summaryText(summary)}, with bundle ${bundle.name}`);
  printLine(table([['size', 'sampled', 'jobs'], ...summary.bins.map(binRow)]));
  if (preview) printLine(`to render: ${preview.toRender}; ${preview.stored} are in ${options.store} already`);
  if (preview && preview.toRender > 0) printLine(estimateText(preview, options));
  if (changes) printLine(changesText(changes.counts));
  if (cutPrompts.rows > 0) printLine(cutText(cutPrompts, chosen));
  if (summary.unheardNegatives > 0) printLine(unheardText(summary));
  for (const line of carriedText(summary)) printLine(line);
}

/** A catalog can be checked where the store cannot be reached: then nothing is said of what it has. */
function storeQuestions(url: string): <T>(ask: (store: ObjectStore) => Promise<T>) => Promise<T | null> {
  let isReached = true;
  return async (ask) => {
    if (!isReached) return null;
    try {
      return await ask(await openStore(url));
    } catch (error) {
      if (!(error instanceof StoreDenied || error instanceof StoreUnavailable)) throw error;
      note(`what the store has already is not known: ${error.message}`);
      isReached = false;
      return null;
    }
  };
}

const binRow = ({ size, bin, jobs }: PlanSummary['bins'][number]): string[] => [
  size,
  `${bin.width}×${bin.height}`,
  String(jobs),
];

function cutText({ rows, firstLines }: CutPrompts, { description }: Bundle): string {
  const lines = `line ${firstLines.join(', ')}${rows > firstLines.length ? ' …' : ''}`;
  return `${count(rows, 'row')} with a prompt of more than ${description.tokenizer.maxTokens} tokens, whose end the model does not see: ${lines}`;
}

const unheardText = ({ unheardNegatives }: PlanSummary): string =>
  `${count(unheardNegatives, 'row')} with a negative prompt that has no effect: guidance 1 is without it`;

function carriedText({ metadata }: PlanSummary): string[] {
  const [own, others] = [metadata.filter(isTableColumn), metadata.filter((name) => !isTableColumn(name))];
  return [
    ...(others.length === 0 ? [] : [`carried along to the manifest: ${others.join(', ')}`]),
    ...(own.length === 0
      ? []
      : [`carried along to manifest.jsonl, since manifest.csv has such columns of its own: ${own.join(', ')}`]),
  ];
}

/** `24 rows, 24 jobs, 22 different images` */
export const summaryText = ({ rows, jobs, images }: PlanSummary): string =>
  `${count(rows, 'row')}, ${count(jobs, 'job')}, ${count(images, 'different image')}`;

/** What might surprise whoever wrote `negativ_prompt`. */
export const columnHints = ({ metadata }: PlanSummary): string[] =>
  misspeltColumns(metadata).map(
    ({ found, meant }) =>
      `column ${JSON.stringify(found)} changes no picture and is carried along; was ${meant} meant?`,
  );

/** What might surprise whoever wrote `{red|blue}`. */
export const expansionHint = ({ unexpanded }: PlanSummary): string =>
  `${count(unexpanded, 'row')} with {a|b} or __name__ in the prompt, taken as it stands; --expand makes every combination`;
