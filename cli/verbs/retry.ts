import { Command } from 'commander';
import {
  type BatchClient,
  BatchUnknown,
  bundleRef,
  chosenBundle,
  describeBatch,
  type FailureBudget,
  type Retried,
  type RetryRequest,
  retryBatch,
} from '../../client/index.ts';
import type { CatalogFormat } from '../../domain/catalog-settings.ts';
import { UserError } from '../../domain/user-error.ts';
import { checkAllowedHere } from '../allowed-here.ts';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { silenceOf } from '../display/message-text.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { leftAsideText, startedText, takenText } from '../display/retry-text.ts';
import {
  addTeamOptions,
  failureBudgetOption,
  type TeamOptions,
  teamOf,
  webhookOption,
  windowOption,
} from '../options/batch-options.ts';
import { catalogFormatOption, columnOption, sheetOption } from '../options/catalog-options.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { serverHint } from '../server-choice.ts';
import { withClient } from '../with-client.ts';

const examples = `
Settings that you do not give are those of the previous round, as the server remembers them or, if it has forgotten the batch, as recorded
in the batch's folder in the store. If the last round ended without a manifest, this one writes it, even if no image is missing.

Examples:
  $ npx pixart-batch retry catalog-20260131T093000Z
  $ npx pixart-batch retry catalog-20260131T093000Z --catalog corrected.csv --wait
  $ npx pixart-batch retry catalog-20260131T093000Z --rejected decisions.csv --wait
  $ npx pixart-batch retry last-year --store gs://my-bucket/images
`;

export const retryCommand = (): Command =>
  addServerOptions(addTeamOptions(new Command('retry')))
    .argument('<batch>')
    .option('--catalog <file>', 'take rows with the same ids from a corrected catalog')
    .addOption(catalogFormatOption())
    .addOption(columnOption())
    .addOption(sheetOption())
    .option(
      '--rejected <decisions.csv>',
      "render the images that were rejected on the batch's page again, with new seeds",
    )
    .addOption(storeOption('store of the batch, if the server has forgotten it or the store has moved'))
    .option('--bundle <name or folder>', 'bundle that it was planned with, if nothing else records it')
    .addOption(windowOption())
    .addOption(failureBudgetOption())
    .addOption(webhookOption())
    .option('--wait', 'show progress until the batch ends')
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(retry);

type RetryOptions = ServerOptions &
  JsonOptions &
  TeamOptions & {
    catalog?: string;
    catalogFormat?: CatalogFormat;
    column?: Record<string, string>;
    sheet?: string;
    rejected?: string;
    store: string;
    bundle?: string;
    window?: number;
    maxFailures?: FailureBudget;
    webhook?: string;
    wait?: true;
  };

async function retry(batch: string, options: RetryOptions, command: Command): Promise<void> {
  const json = options.json === true;
  const request = await retryRequest(options);
  const isStoreNamed = command.getOptionValueSource('store') === 'cli';
  await withClient(options, async (client) => {
    const retried = await startRetry(client, batch, request, options.store, isStoreNamed);
    if (json) printJson({ batch, ...retried });
    else printLine(`batch ${batch}: ${startedText(retried)}`);
    for (const line of takenText(retried)) note(line);
    if (retried.leftAside.length > 0) note(leftAsideText(retried.leftAside));
    for (const line of await silenceOf(client, options.webhook)) note(line);
    if (!options.wait && !json) printLine(`follow it with:\n  npx pixart-batch watch ${batch}${serverHint(client)}`);
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
  });
}

/** If no store is named, uses the one the server knows, or the default if the server does not know the batch. */
async function startRetry(
  client: BatchClient,
  batch: string,
  request: RetryRequest,
  store: string,
  isStoreNamed: boolean,
): Promise<Retried> {
  const inStore = async (): Promise<Retried> => {
    await checkAllowedHere(client, { store, webhook: request.webhook });
    return retryBatch(client, batch, { ...request, store });
  };
  if (isStoreNamed) return inStore();
  return retryWhereItLies(client, batch, request).catch((error) => {
    if (error instanceof BatchUnknown) return inStore();
    throw error;
  });
}

async function retryWhereItLies(client: BatchClient, batch: string, request: RetryRequest): Promise<Retried> {
  const { store } = await describeBatch(client, batch);
  await checkAllowedHere(client, { store, webhook: request.webhook });
  return retryBatch(client, batch, request);
}

async function retryRequest(options: RetryOptions): Promise<RetryRequest> {
  const { catalog, catalogFormat, column, sheet, rejected, bundle, window, maxFailures, webhook } = options;
  if (catalog === undefined && (catalogFormat ?? column ?? sheet) !== undefined) {
    throw new UserError('--catalog-format, --column and --sheet: expected --catalog as well, found none');
  }
  return {
    ...(catalog !== undefined && { corrected: { catalog, format: catalogFormat, columns: column, sheet } }),
    ...(rejected !== undefined && { decisions: rejected }),
    ...(bundle !== undefined && { bundle: bundleRef(await chosenBundle(bundle)) }),
    ...{ window, maxFailures, webhook, team: teamOf(options) },
  };
}
