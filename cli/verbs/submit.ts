import { Command, Option } from 'commander';
import { CATALOG_LIMITS } from '../../catalog/catalog-limits.ts';
import { chosenBundle, type FailureBudget, type Preview, submitBatch } from '../../client/index.ts';
import { CATALOG_ENDINGS } from '../../domain/catalog-settings.ts';
import { UserError } from '../../domain/user-error.ts';
import { checkAllowedHere } from '../allowed-here.ts';
import { costOf, costText } from '../display/estimate-text.ts';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { batchMemoryText } from '../display/memory-text.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { planNotes, summaryText } from '../display/plan-text.ts';
import { showReading } from '../display/reading-display.ts';
import { askForWorkers, workersOf } from '../display/worker-watch.ts';
import {
  addTeamOptions,
  costOption,
  failureBudgetOption,
  type TeamOptions,
  teamOf,
  webhookOption,
  windowOption,
} from '../options/batch-options.ts';
import { addCatalogOptions, batchRequest, type CatalogOptions } from '../options/catalog-options.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { amount, wholeNumber } from '../options/values.ts';
import { serverHint } from '../server-choice.ts';
import { withClient } from '../with-client.ts';

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
    .argument('<catalog>', `a ${CATALOG_ENDINGS} file: a path or gs:// URL`)
    .option('--batch <id>', "the batch's name and folder; otherwise the catalog's name and the time")
    .addOption(windowOption())
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
  const bundle = await chosenBundle(options.bundle);
  const request = {
    ...batchRequest(catalog, options, bundle),
    batch: options.batch,
    window: options.window,
    team: teamOf(options),
    maxFailures: options.maxFailures,
    webhook: options.webhook,
  };
  await withClient(options, async (client) => {
    await checkAllowedHere(client, { store: request.store, webhook: request.webhook });
    const { batch, plan } = await showReading((onRead) => submitBatch(client, request, approval(options), onRead));
    for (const line of planNotes(plan, request)) note(line);
    if (request.defaults?.decode === 'whole') note(batchMemoryText(bundle, plan.bins, true));
    if (json) printJson({ batch, ...plan });
    else note(`batch ${batch}: ${summaryText(plan)}`);
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
    else {
      const sizes = [...new Set(plan.bins.map(({ size }) => size))];
      for (const line of await askForWorkers(sizes, workersOf(client, batch))) note(line);
      if (!json) printLine(`started; follow it with:\n  npx pixart-batch watch ${batch}${serverHint(client)}`);
    }
  });
}

type Approve = NonNullable<Parameters<typeof submitBatch>[2]>;

/**
 * Keeps the limits that a person set; `undefined` where there are none.
 *
 * @throws UserError for a cost that nobody can know
 */
function approval(options: SubmitOptions): Approve | undefined {
  const { maxJobs, maxCost, costPerHour } = options;
  if (maxCost !== undefined && costPerHour === undefined) {
    throw new UserError('--max-cost: expected --cost-per-hour beside it');
  }
  if (maxJobs === undefined && maxCost === undefined) return undefined;
  return async ({ preview }) => checkLimits(await preview(), options);
}

/** @throws UserError where more is to be rendered than was allowed, or nobody knows what it costs */
function checkLimits(preview: Preview, options: SubmitOptions): void {
  const { maxJobs, maxCost } = options;
  const { toRender } = preview;
  if (maxJobs !== undefined && toRender > maxJobs) {
    throw refused(`--max-jobs: expected at most ${maxJobs} images to render`, `${toRender}`);
  }
  if (maxCost === undefined) return;
  const cost = costOf(preview, options);
  if (cost === null) {
    throw refused(
      '--max-cost: expected rates that an earlier batch measured in this store, or --max-jobs instead',
      preview.warnings[0] ?? 'none',
    );
  }
  if (cost > maxCost) throw refused(`--max-cost: expected at most ${maxCost}`, `about ${costText(cost)}`);
}

const refused = (limit: string, found: string): UserError =>
  new UserError(`${limit}, found ${found}; nothing was started ("npx pixart-batch plan" tells more)`);
