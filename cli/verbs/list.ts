import { Command } from 'commander';
import { type BatchListing, listBatches } from '../../client/index.ts';
import { stateText } from '../../domain/state-text.ts';
import { shownPlace } from '../../store/index.ts';
import { noteKeysMissing } from '../display/keys-missing.ts';
import { collect, note, printJson, printLine, table } from '../display/output.ts';
import { timeText, zoneHeading } from '../display/text.ts';
import { withoutManifest } from '../display/without-manifest.ts';
import { addServerOptions, type JsonOptions, jsonOption, type ServerOptions } from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Temporal forgets what ended long ago: "status", "report" and "retry" find such a batch in its store.

Examples:
  $ npx pixart-batch list
  $ npx pixart-batch list --json | jq -r 'select(.state == "rendering").batch'
`;

export const listCommand = (): Command =>
  addServerOptions(new Command('list')).addOption(jsonOption()).addHelpText('after', examples).action(list);

async function list(options: ServerOptions & JsonOptions): Promise<void> {
  await withClient(options, async (client) => {
    const batches = await collect(listBatches(client));
    if (options.json) return batches.forEach(printJson);
    if (batches.length === 0) return note('no batch yet');
    printLine(
      table([['batch', 'state', 'done', 'failed', 'jobs', zoneHeading('started'), 'catalog'], ...batches.map(row)]),
    );
    for (const of of batches) for (const line of notes(of)) printLine(line);
    noteKeysMissing(batches);
  });
}

const row = ({ batch, state, done, failed, total, startedAt, catalog }: BatchListing): string[] => [
  batch,
  stateText(state, failed),
  // Where the batch does not know its rows, no number of them is told.
  ...(total === 0 ? ['?', '?', '?'] : [done, failed, total].map(String)),
  timeText(startedAt),
  shownPlace(catalog),
];

/** Below the table: why batches have no manifest, and what to do. */
function notes(listing: BatchListing): string[] {
  const [what, advice] = withoutManifest(listing);
  return what === undefined ? [] : [`${listing.batch} ${what}`, `  ${advice}`];
}
