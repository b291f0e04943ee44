import { Command, Option } from 'commander';
import { bundleRef, chosenBundle, type LimitsToday, type PlanSummary, planBatch } from '../../client/index.ts';
import { CATALOG_ENDINGS } from '../../domain/catalog-settings.ts';
import { changesText } from '../../domain/change-counts.ts';
import { named } from '../../domain/printable.mjs';
import { isTableColumn } from '../../records/manifest-table.ts';
import { costOf, estimateText, type FleetOptions } from '../display/estimate-text.ts';
import { batchMemory, batchMemoryText } from '../display/memory-text.ts';
import { note, printJson, printLine, table } from '../display/output.ts';
import { planHints, promptNotes, signingNotes, summaryText } from '../display/plan-text.ts';
import { readAsText } from '../display/read-as-text.ts';
import { timeText } from '../display/text.ts';
import { costOption } from '../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../options/catalog-options.ts';
import { type JsonOptions, jsonOption } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';

const examples = `
Examples:
  $ npx pixart-batch plan catalog.csv
  $ npx pixart-batch plan prompts.tsv --column prompt=Prompt --size 512
  $ npx pixart-batch plan gs://my-bucket/catalogs/spring.jsonl --json
`;

export const planCommand = (): Command =>
  addCatalogOptions(new Command('plan'))
    .description('check a catalog and show what it would render; nothing is written and no server is needed')
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file: a path or gs:// URL`)
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
  const request = batchRequest(catalog, options, chosen);
  const planned = await planBatch({ ...request, bundle: chosen });
  const { store, preview, limits, changes, storeProblem, warnings, ...summary } = planned;
  if (storeProblem !== null) note(`what the store has already is not known: ${storeProblem}`);
  for (const warning of warnings) note(warning);
  for (const hint of planHints(summary, request)) note(hint);
  if (options.json) {
    const cost = preview && costOf(preview, options);
    return printJson({
      catalog,
      bundle,
      ...summary,
      seeds: options.seeds,
      store,
      ...preview,
      limits: limits ?? undefined,
      warnings,
      changes: changes ?? undefined,
      cost,
      memory: { rendererBytes: batchMemory(chosen, summary.bins, request.defaults?.decode === 'whole') },
    });
  }
  printLine(`${catalog}: ${summaryText(summary)}, with bundle ${bundle.name}`);
  printLine(readAsText(summary.readAs));
  printLine(table([['size', 'sampled', 'jobs'], ...summary.bins.map(binRow)]));
  if (preview) printLine(`to render: ${preview.toRender}; ${preview.stored} are in ${options.store} already`);
  if (preview && preview.toRender > 0) printLine(estimateText(preview, options));
  printLine(batchMemoryText(chosen, summary.bins, request.defaults?.decode === 'whole'));
  if (limits) printLine(limitsText(limits));
  if (changes) printLine(changesText(changes));
  if (options.seeds === 'fresh')
    printLine('rows without a seed get another one in every batch: none of their images is there yet');
  for (const line of [...promptNotes(summary), ...signingNotes(request)]) printLine(line);
  for (const line of carriedText(summary)) printLine(line);
}

/** `left today of this store's limits: 120 of 2,000 images, 14.5 of 2,500 megapixels; all again at 2026-12-01 00:00 UTC` */
const limitsText = ({ uses, resetsAt }: LimitsToday): string =>
  `left today of this store's limits: ${uses.map(({ left, limit, unit }) => `${number(left)} of ${number(limit)} ${unit}`).join(', ')}; all again at ${timeText(resetsAt).slice(0, -3)} UTC`;

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 2 });

const binRow = ({ size, bin, jobs }: PlanSummary['bins'][number]): string[] => [
  size,
  `${bin.width}×${bin.height}`,
  String(jobs),
];

function carriedText({ metadata }: PlanSummary): string[] {
  const [own, others] = [metadata.filter(isTableColumn), metadata.filter((name) => !isTableColumn(name))];
  return [
    ...(others.length === 0 ? [] : [`carried along to the manifest: ${namesText(others)}`]),
    ...(own.length === 0
      ? []
      : [`carried along to manifest.jsonl, since manifest.csv has such columns of its own: ${namesText(own)}`]),
  ];
}

const NAMES_SHOWN = 40;

const namesText = (names: string[]): string =>
  `${names.slice(0, NAMES_SHOWN).map(named).join(', ')}${names.length > NAMES_SHOWN ? `, … and ${names.length - NAMES_SHOWN} more` : ''}`;
