import { Command, Option } from 'commander';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { type Inspection, PreviewBuilder, submitBatch } from '../../client/index.ts';
import { workersSeen } from '../../client/workers-seen.ts';
import { UserError } from '../../domain/user-error.ts';
import { bundleRef } from '../../models/pixart/bundle.ts';
import { openStore, storeUrl } from '../../store/index.ts';
import type { FailureBudget } from '../../workflows/contract/batch.ts';
import { chosenBundle } from '../chosen-bundle.ts';
import { addTeamOptions, failureBudgetOption, type TeamOptions, teamOf, webhookOption } from '../control-options.ts';
import { costOf, costText } from '../display/estimate-text.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { askForWorkers } from '../display/worker-watch.ts';
import { watchToTheEnd } from '../follow-batch.ts';
import {
  addCatalogOptions,
  addServerOptions,
  amount,
  batchRequest,
  type CatalogOptions,
  costOption,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  wholeNumber,
} from '../options.ts';
import { withClient } from '../with-client.ts';
import { columnHints, expansionHint, summaryText } from './plan.ts';

type SubmitOptions = CatalogOptions &
  ServerOptions &
  JsonOptions &
  TeamOptions & {
    batch?: string;
    window?: number;
    maxFailures?: FailureBudget;
    webhook?: string;
    maxJobs?: number;
    maxCost?: number;
    costPerHour?: number;
    wait?: true;
  };

const examples = `
Examples:
  $ npx pixart-batch submit catalog.csv --wait
  $ npx pixart-batch submit prompts.tsv --column prompt=Prompt --size 512 --batch spring-icons
  $ npx pixart-batch submit gs://my-bucket/catalogs/spring.jsonl --store gs://my-bucket/images --json
`;

export const submitCommand = (): Command =>
  addServerOptions(addTeamOptions(addCatalogOptions(new Command('submit'))))
    .description('check a catalog and start a batch of it; nothing is written or started unless all of it is right')
    .argument('<catalog>', 'a .csv, .tsv or .jsonl file: a path or gs:// URL')
    .option('--batch <id>', "the batch's name and folder; otherwise the catalog's name and the time")
    .addOption(new Option('--window <n>', 'images in flight at once, for each size').argParser(wholeNumber(1, 2000)))
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .addOption(
      new Option('--max-jobs <n>', 'start nothing where more images than this have to be rendered').argParser(
        wholeNumber(0, CATALOG_LIMITS.jobs),
      ),
    )
    .addOption(
      new Option('--max-cost <amount>', 'start nothing where it would cost more; with --cost-per-hour').argParser(
        amount,
      ),
    )
    .addOption(costOption())
    .option('--wait', 'show progress until the batch has ended')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(submit);

async function submit(catalog: string, options: SubmitOptions): Promise<void> {
  const json = options.json === true;
  const bundle = bundleRef(await chosenBundle(options.bundle));
  const request = {
    ...batchRequest(catalog, options, bundle),
    batch: options.batch,
    window: options.window,
    team: teamOf(options),
    maxFailures: options.maxFailures,
    webhook: options.webhook,
  };
  await withClient(options, async (client) => {
    const { batch, plan } = await submitBatch(client, request, inspection(options, bundle.digest));
    if (plan.unexpanded > 0 && request.expansion === undefined) note(expansionHint(plan));
    for (const hint of columnHints(plan)) note(hint);
    if (json) printJson({ batch, ...plan });
    else note(`batch ${batch}: ${summaryText(plan)}`);
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
    else {
      const sizes = [...new Set(plan.bins.map(({ size }) => size))];
      for (const line of await askForWorkers(sizes, (open) => workersSeen(client, batch, open))) note(line);
      if (!json) printLine(`started; follow it with:\n  npx pixart-batch watch ${batch}`);
    }
  });
}

/** @throws UserError, from `approve`, where more is to be rendered than was allowed, or nobody knows */
function inspection(options: SubmitOptions, bundleDigest: string): Inspection {
  const { maxJobs, maxCost, costPerHour, store } = options;
  if (maxJobs === undefined && maxCost === undefined) return {};
  if (maxCost !== undefined && costPerHour === undefined) {
    throw new UserError('--max-cost: expected --cost-per-hour beside it');
  }
  const previews = new PreviewBuilder(() => false);
  const refused = (limit: string, found: string) =>
    new UserError(`${limit}, found ${found}; nothing was started ("npx pixart-batch plan" tells more)`);
  return {
    onJob: (job) => previews.add(job),
    async approve() {
      const preview = await previews.preview(await openStore(storeUrl(store)), bundleDigest);
      const { toRender } = preview;
      if (maxJobs !== undefined && toRender > maxJobs) {
        throw refused(`--max-jobs: expected at most ${maxJobs} images to render`, `${toRender}`);
      }
      if (maxCost === undefined) return;
      const cost = costOf(preview, options);
      if (cost === null)
        throw refused(
          '--max-cost: expected rates that an earlier batch measured in this store, or --max-jobs instead',
          'none',
        );
      if (cost > maxCost) throw refused(`--max-cost: expected at most ${maxCost}`, `about ${costText(cost)}`);
    },
  };
}
