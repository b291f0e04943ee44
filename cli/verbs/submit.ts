import { Command } from 'commander';
import { chosenBundle, type FailureBudget, submitBatch } from '../../client/index.ts';
import { CATALOG_ENDINGS } from '../../domain/catalog-settings.ts';
import { checkAllowedHere } from '../allowed-here.ts';
import { limitsKeptText } from '../display/estimate-text.ts';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { batchMemoryText } from '../display/memory-text.ts';
import { silenceOf } from '../display/message-text.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { planNotes, summaryText } from '../display/plan-text.ts';
import { showReading } from '../display/reading-display.ts';
import { askForWorkers, workersOf } from '../display/worker-watch.ts';
import {
  type AtMostOptions,
  addTeamOptions,
  atMostOf,
  costOption,
  failureBudgetOption,
  maxCostOption,
  maxJobsOption,
  type TeamOptions,
  teamOf,
  webhookOption,
  windowOption,
} from '../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../options/catalog-options.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { serverHint } from '../server-choice.ts';
import { withClient } from '../with-client.ts';

type SubmitOptions = CatalogOptions &
  ServerOptions &
  JsonOptions &
  TeamOptions &
  AtMostOptions & {
    batch?: string;
    window?: number;
    maxFailures?: FailureBudget;
    webhook?: string;
    wait?: true;
  };

const examples = `
Examples:
  $ npx pixart-batch submit catalog.csv --wait
  $ npx pixart-batch submit prompts.tsv --column prompt=Prompt --size 512 --batch spring-icons
  $ npx pixart-batch submit icons.xlsx --name '{category}/{id}-{seed}.{ext}'
  $ npx pixart-batch submit gs://my-bucket/catalogs/spring.jsonl --store gs://my-bucket/images --json
  $ npx pixart-batch submit catalog.csv --max-jobs 500 --max-cost 20 --cost-per-hour 2.5
  $ npx pixart-batch submit catalog.csv --webhook slack          # or teams, mailto:lead@studio.example, https://…
`;

export const submitCommand = (): Command =>
  addServerOptions(addTeamOptions(addCatalogOptions(new Command('submit'))))
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file: a path or gs:// URL`)
    .option('--batch <id>', "name and folder of the batch; default: the catalog's name and the time")
    .addOption(windowOption())
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .addOption(maxJobsOption())
    .addOption(maxCostOption())
    .addOption(costOption())
    .option('--wait', 'show progress until the batch ends')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(submit);

async function submit(catalog: string, options: SubmitOptions): Promise<void> {
  const json = options.json === true;
  const bundle = await chosenBundle(options.bundle);
  const request = {
    ...batchRequest(catalog, options, bundle),
    batch: options.batch,
    window: options.window,
    team: teamOf(options),
    maxFailures: options.maxFailures,
    webhook: options.webhook,
    atMost: atMostOf(options),
  };
  await withClient(options, async (client) => {
    await checkAllowedHere(client, { store: request.store, webhook: request.webhook });
    const { batch, plan, preview } = await showReading((onRead) => submitBatch(client, request, undefined, onRead));
    for (const line of planNotes(plan, request)) note(line);
    if (request.defaults?.decode === 'whole') note(batchMemoryText(bundle, plan.bins, true));
    if (json) printJson({ batch, ...plan });
    else note(`batch ${batch}: ${summaryText(plan)}`);
    if (preview !== null) note(limitsKeptText(preview, request.atMost));
    for (const line of await silenceOf(client, options.webhook)) note(line);
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
    else {
      const sizes = [...new Set(plan.bins.map(({ size }) => size))];
      for (const line of await askForWorkers(sizes, workersOf(client, batch))) note(line);
      if (!json) printLine(`started; follow it with:\n  npx pixart-batch watch ${batch}${serverHint(client)}`);
    }
  });
}
