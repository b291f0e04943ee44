import { Command } from 'commander';
import { type Retried, type RetryRequest, retryBatch } from '../../client/index.ts';
import type { CatalogFormat } from '../../domain/catalog-settings.ts';
import { someOf, UserError } from '../../domain/user-error.ts';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { count } from '../display/text.ts';
import { catalogFormatOption, columnOption } from '../options/catalog-options.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  userProjectOption,
} from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Examples:
  $ npx pixart-batch retry catalog-20260131T093000Z
  $ npx pixart-batch retry catalog-20260131T093000Z --catalog corrected.csv --wait
  $ npx pixart-batch retry catalog-20260131T093000Z --rejected decisions.csv --wait
`;

export const retryCommand = (): Command =>
  addServerOptions(new Command('retry'))
    .description(
      'render what a batch that has ended lacks: failed rows, those a cancellation left out, rejected images',
    )
    .argument('<batch>')
    .option('--catalog <file>', 'take rows with the same ids from a corrected catalog')
    .addOption(catalogFormatOption())
    .addOption(columnOption())
    .option(
      '--rejected <decisions.csv>',
      "make the images again that were rejected on the contact sheet's page, with new seeds",
    )
    .option('--wait', 'show progress until it has ended')
    .addOption(userProjectOption())
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(retry);

type RetryOptions = ServerOptions &
  JsonOptions & {
    catalog?: string;
    catalogFormat?: CatalogFormat;
    column?: Record<string, string>;
    rejected?: string;
    wait?: true;
  };

async function retry(batch: string, options: RetryOptions): Promise<void> {
  const json = options.json === true;
  const request = retryRequest(options);
  await withClient(options, async (client) => {
    const retried = await retryBatch(client, batch, request);
    if (json) printJson({ batch, ...retried });
    else printLine(`batch ${batch}: ${startedText(retried)}`);
    if (retried.leftAside.length > 0) note(leftAsideText(retried.leftAside));
    if (options.wait) process.exitCode = await watchToTheEnd(client, batch, json);
  });
}

function retryRequest({ catalog, catalogFormat, column, rejected }: RetryOptions): RetryRequest {
  if (catalog === undefined && (catalogFormat ?? column) !== undefined) {
    throw new UserError('--catalog-format and --column: expected --catalog beside them');
  }
  return {
    ...(catalog !== undefined && { corrected: { catalog, format: catalogFormat, columns: column } }),
    ...(rejected !== undefined && { decisions: rejected }),
  };
}

const leftAsideText = (ids: string[]): string =>
  `left aside, since the batch has an image of them already or does not have such ids: ${someOf(ids)}`;

/** `round 2 has started: 5 missing images, 2 rejected images again (what was rejected stays under objects/); 3 of them as corrected` */
function startedText({ round, missing, corrected, rejected }: Retried): string {
  const parts = [
    ...(missing > 0 ? [count(missing, 'missing image')] : []),
    ...(rejected > 0 ? [`${count(rejected, 'rejected image')} again (what was rejected stays under objects/)`] : []),
  ];
  const corrections = corrected > 0 ? `; ${corrected} of them as corrected` : '';
  return `round ${round} has started${parts.length > 0 ? `: ${parts.join(', ')}` : ''}${corrections}`;
}
