import { Command, Option } from 'commander';
import { type BatchListing, listBatches } from '../../client/index.ts';
import { stateText } from '../../domain/state-text.ts';
import { shownPlace } from '../../store/index.ts';
import { noteKeysMissing } from '../display/keys-missing.ts';
import { ending, lineWidth, note, printJson, printLine, table } from '../display/output.ts';
import { timeText, zoneHeading } from '../display/text.ts';
import { withoutManifest } from '../display/without-manifest.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';
import { withClient } from '../with-client.ts';

const examples = `
The counts of a running batch are updated with each fiftieth of it; "status" shows the current ones.
Temporal forgets batches that ended long ago: "status", "report" and "retry" find them in their store.

Examples:
  $ npx pixart-batch list
  $ npx pixart-batch list --limit 10
  $ npx pixart-batch list --state failed
  $ npx pixart-batch list --json | jq -r 'select(.state == "rendering").batch'
`;

/** Temporal or "forget" may have removed the history of a batch whose rows are still in the store. */
const NONE =
  'the server knows no batch. To see one that it has forgotten, run "npx pixart-batch status <batch> --store <url>", or "report"';

const STATES = [
  ...(['planning', 'rendering', 'paused', 'finishing', 'completed', 'cancelled'] as const),
  ...(['failed', 'refused', 'terminated'] as const),
] satisfies BatchListing['state'][];

type ListOptions = ServerOptions & JsonOptions & { limit?: number; state?: BatchListing['state'] };

export const listCommand = (): Command =>
  addServerOptions(new Command('list'))
    .addOption(new Option('--limit <n>', 'list only the newest n').argParser(wholeNumber(1, 1_000_000)))
    .addOption(new Option('--state <state>', 'list only batches in this state').choices(STATES))
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(list);

async function list({ limit = Number.POSITIVE_INFINITY, state, ...options }: ListOptions): Promise<void> {
  await withClient(options, async (client) => {
    const batches: BatchListing[] = [];
    for await (const listing of listBatches(client)) {
      if (state === undefined || listing.state === state) batches.push(listing);
      if (batches.length === limit) break;
    }
    if (options.json) return batches.forEach(printJson);
    if (batches.length === 0) return note(state === undefined ? NONE : `no batch is ${state}`);
    printLine(table(withCatalogs(batches)));
    for (const of of batches) for (const line of notes(of)) printLine(line);
    noteKeysMissing(batches);
  });
}

/** Ids and states are never shortened; catalogs get the rest of the width. */
function withCatalogs(batches: readonly BatchListing[]): string[][] {
  const rows = [['batch', 'state', 'done', 'failed', zoneHeading('started')], ...batches.map(row)];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)) + 2);
  const left = Math.max(lineWidth() - widths.reduce((sum, width) => sum + width, 0), LEAST_CATALOG);
  return rows.map((cells, at) => [...cells, at === 0 ? 'catalog' : ending(shownPlace(batches[at - 1]!.catalog), left)]);
}

const LEAST_CATALOG = 12;

const row = ({ batch, state, done, failed, total, startedAt }: BatchListing): string[] => [
  batch,
  stateText(state, failed),
  // The batch does not know its rows yet, so there is nothing to count.
  ...(total === 0 ? ['?', '?'] : [`${done}/${total}`, String(failed)]),
  timeText(startedAt).slice(0, -':00'.length),
];

/** Below the table: why batches have no manifest, and what to do. */
function notes(listing: BatchListing): string[] {
  const [what, advice] = withoutManifest(listing);
  return what === undefined ? [] : [`${listing.batch} ${what}`, `  ${advice}`];
}
