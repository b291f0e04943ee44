import { Command, Option } from 'commander';
import {
  type AtMost,
  type BatchPlan,
  bundleRef,
  chosenBundle,
  type LimitsToday,
  type PlanSummary,
  type Preview,
  planBatch,
} from '../../client/index.ts';
import { CATALOG_ENDINGS } from '../../domain/catalog-settings.ts';
import { changesText } from '../../domain/change-counts.ts';
import { shortened } from '../../domain/printable.mjs';
import { UserError } from '../../domain/user-error.ts';
import { checkAtMost, previewCost } from '../../records/at-most.ts';
import { estimateText, type FleetOptions, limitsKeptText } from '../display/estimate-text.ts';
import { batchMemoryFacts, batchMemoryText } from '../display/memory-text.ts';
import { note, printJson, printLine, table } from '../display/output.ts';
import { batchNotes, planHints, summaryText } from '../display/plan-text.ts';
import { readAsText } from '../display/read-as-text.ts';
import { showReading } from '../display/reading-display.ts';
import { timeText, viewerZone } from '../display/text.ts';
import { type AtMostOptions, atMostOf, costOption, maxCostOption, maxJobsOption } from '../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../options/catalog-options.ts';
import { type JsonOptions, jsonOption } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';

const examples = `
Examples:
  $ npx pixart-batch plan catalog.csv
  $ npx pixart-batch plan catalog.csv --max-cost 20 --cost-per-hour 2.5     # exits with 2 if it would cost more
  $ npx pixart-batch plan prompts.tsv --column prompt=Prompt --size 512
  $ npx pixart-batch plan icons.xlsx --name '{category}/{id}-{seed}.{ext}'
  $ npx pixart-batch plan gs://my-bucket/catalogs/spring.jsonl --json
`;

export const planCommand = (): Command =>
  addCatalogOptions(new Command('plan'))
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file: a path or gs:// URL`)
    .addOption(
      new Option('--devices <n>', 'estimate the time on this many devices')
        .default(1)
        .argParser(wholeNumber(1, 100_000)),
    )
    .addOption(costOption())
    .addOption(maxJobsOption())
    .addOption(maxCostOption())
    .addOption(
      new Option('--show <n>', 'show the first n prompts as they will be rendered')
        .default(3)
        .argParser(wholeNumber(0, 1_000)),
    )
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(plan);

type PlanOptions = CatalogOptions & JsonOptions & FleetOptions & AtMostOptions & { show: number };

async function plan(catalog: string, options: PlanOptions): Promise<void> {
  const atMost = atMostOf(options);
  const chosen = await chosenBundle(options.bundle);
  const bundle = bundleRef(chosen);
  const request = batchRequest(catalog, options, chosen);
  const asked = { ...request, bundle: chosen, prompts: options.show };
  const planned = await showReading((onRead) => planBatch(asked, onRead));
  const { store, preview, limits, changes, storeProblem, warnings, firstPrompts, ...summary } = planned;
  if (storeProblem !== null) note(`cannot tell what the store already has: ${storeProblem}`);
  for (const warning of warnings) note(warning);
  for (const hint of planHints(summary, request)) note(hint);
  if (options.json) {
    const cost = preview && (options.costPerHour === undefined ? null : previewCost(preview, options.costPerHour));
    printJson({
      catalog,
      bundle,
      ...summary,
      seeds: options.seeds,
      firstPrompts,
      store,
      ...preview,
      limits: limits ?? undefined,
      warnings,
      changes: changes ?? undefined,
      cost,
      memory: batchMemoryFacts(chosen, summary.bins, request.defaults?.decode === 'whole'),
    });
  } else {
    printLine(`${catalog}: ${summaryText(summary)}, with bundle ${bundle.name}`);
    printLine(readAsText(summary.readAs));
    printLine(table([['size', 'sampled', 'jobs'], ...summary.bins.map(binRow)]));
    if (preview) printLine(`to render: ${preview.toRender}; ${preview.stored} are already in ${options.store}`);
    if (preview && preview.toRender > 0) printLine(estimateText(preview, options));
    printLine(batchMemoryText(chosen, summary.bins, request.defaults?.decode === 'whole'));
    if (limits) printLine(limitsText(limits));
    if (changes) printLine(changesText(changes));
    for (const line of batchNotes(summary, request)) printLine(line);
    if (firstPrompts.length > 0) printLine(`first prompts:\n${table(firstPrompts.map(promptRow))}`);
  }
  if (atMost !== undefined) note(limitsKeptText(keptBy(atMost, preview), atMost));
}

/** @throws UserError if a batch would exceed the limits */
function keptBy(atMost: AtMost, preview: Preview | null): Preview {
  if (preview === null) {
    throw new UserError('--max-jobs, --max-cost: expected a readable store, to know which images exist; found none');
  }
  checkAtMost(atMost, preview);
  return preview;
}

const PROMPT_CHARACTERS = 200;

const promptRow = ({ id, copyAs = id, prompt, negativePrompt }: BatchPlan['firstPrompts'][number]): string[] => [
  `  ${copyAs}`,
  shortened(negativePrompt === '' ? prompt : `${prompt} (not: ${negativePrompt})`, PROMPT_CHARACTERS),
];

/** `left of this store's limits today: 120 of 2,000 images, 14.5 of 2,500 megapixels; reset at 2026-12-01 00:00 (UTC)` */
const limitsText = ({ uses, resetsAt }: LimitsToday): string =>
  `left of this store's limits today: ${uses.map(({ left, limit, unit }) => `${number(left)} of ${number(limit)} ${unit}`).join(', ')}; reset at ${timeText(resetsAt).slice(0, -3)} (${viewerZone()})`;

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 });

const binRow = ({ size, bin, jobs }: PlanSummary['bins'][number]): string[] => [
  size,
  `${bin.width}×${bin.height}`,
  String(jobs),
];
