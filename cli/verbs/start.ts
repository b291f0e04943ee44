import { Command, Option } from 'commander';
import { type BatchClient, listBatches, newBatchId, reviewPageEnd, submitBatch } from '../../client/index.ts';
import { fleetsFor } from '../../infra/dev/fleet-note.ts';
import { type LocalFleet, startLocalFleet } from '../../infra/dev/local-fleet.ts';
import { type Bundle, chosenBundle, verifyBundle } from '../../models/pixart/index.ts';
import { storeUrl } from '../../store/index.ts';
import { checkAllowedHere } from '../allowed-here.ts';
import { followBatch } from '../display/follow-batch.ts';
import { note, printLine } from '../display/output.ts';
import { planNotes, summaryText } from '../display/plan-text.ts';
import { tellEnd } from '../display/tell-end.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { interruption } from '../interruption.ts';
import { placesOf } from '../options/allow-option.ts';
import { bundleOption, stateOption, storeOption, userProjectOption } from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

type StartOptions = { store: string; bundle?: string; state: string; catalog: string };

const explanation = `
"npm start" runs this after its own set-up. Images that are already in the store are not rendered again, and an interrupted
batch is resumed.
`;

export const startCommand = (): Command =>
  new Command('start')
    .addOption(storeOption())
    .addOption(userProjectOption())
    .addOption(bundleOption())
    .addOption(stateOption())
    .addOption(new Option('--catalog <file>', 'catalog to render').default('examples/catalog.csv'))
    .addHelpText('after', explanation)
    .action(async (options: StartOptions) => {
      process.exitCode = await start(options);
    });

async function start(options: StartOptions): Promise<ExitCode> {
  const bundle = await chosenBundle(options.bundle);
  await verifyBundle(bundle);
  const signal = interruption();
  note('starting a Temporal server, an orchestrator and a render worker …');
  const fleet = await startLocalFleet({
    stateFolder: options.state,
    address: process.env.TEMPORAL_ADDRESS || undefined,
    bundle: bundle.folder,
    sizes: [],
    device: 'cpu',
    allow: placesOf(options),
    tell: note,
  });
  try {
    if (signal.aborted) return EXIT.interrupted;
    if (fleet.uiUrl !== null) printLine(`Temporal UI: ${fleet.uiUrl}`);
    return await runExample(fleet, options, bundle, signal);
  } finally {
    note('stopping what was started …');
    await fleet.stop();
  }
}

function runExample(fleet: LocalFleet, options: StartOptions, bundle: Bundle, signal: AbortSignal): Promise<ExitCode> {
  return withClient({ address: fleet.address }, async (client) => {
    const batch = (await unfinishedExample(client, options, bundle)) ?? (await submitExample(client, options, bundle));
    const failure = fleet.gaveUp.then((error) => Promise.reject(error));
    const end = await Promise.race([followBatch(client, batch, { json: false, signal }), failure]);
    const others = await stoppedBatches(client, batch, options.state);
    if (end.state === 'left') {
      note('\ninterrupted; "npm start" resumes where it stopped');
      if (others.length > 0) note(`${stoppedText(others)} To continue:\n  ${devCommand(options)}`);
      return EXIT.interrupted;
    }
    // The workers that write the page are about to stop.
    if (end.state === 'completed') await reviewPageEnd(client, end.result);
    const code = await tellEnd(client, batch, end, false, end.last);
    if (others.length > 0) note(stoppedText(others));
    const purpose = others.length > 0 ? 'To continue, and to see' : 'To see';
    printLine(`${purpose} the batch in Temporal's UI again:\n  ${devCommand(options)}`);
    return code;
  });
}

const devCommand = ({ state }: StartOptions): string =>
  `npx pixart-batch dev${state === '.pixart' ? '' : ` --state ${state}`}`;

/** Other unfinished batches, which stop with this command's server; none if that is elsewhere or another fleet goes on with it. */
async function stoppedBatches(client: BatchClient, batch: string, state: string): Promise<string[]> {
  const isLast = fleetsFor(state, client).every(({ owner }) => owner === process.pid);
  if (process.env.TEMPORAL_ADDRESS || !isLast) return [];
  const unfinished: string[] = [];
  for await (const other of listBatches(client)) {
    if (other.endedAt === null && other.batch !== batch) unfinished.push(other.batch);
  }
  return unfinished;
}

const SHOWN = 5;

function stoppedText(batches: readonly string[]): string {
  const more = batches.length > SHOWN ? ` and ${batches.length - SHOWN} more` : '';
  const what = batches.length === 1 ? 'batch is unfinished and stops' : 'batches are unfinished and stop';
  return `other ${what} with this server, to be continued later: ${batches.slice(0, SHOWN).join(', ')}${more}.`;
}

/** The batch of an earlier, interrupted start, unless the bundle has changed since: no renderer serves that one any more. */
async function unfinishedExample(client: BatchClient, options: StartOptions, bundle: Bundle): Promise<string | null> {
  for await (const listing of listBatches(client)) {
    const { batch, endedAt, store, bundleDigest } = listing;
    const ours = batch.startsWith('example-') && store === storeUrl(options.store) && bundleDigest === bundle.digest;
    if (!ours || endedAt !== null) continue;
    note(`batch ${batch} was interrupted; resuming it`);
    return batch;
  }
  return null;
}

async function submitExample(client: BatchClient, options: StartOptions, bundle: Bundle): Promise<string> {
  const { catalog, store } = options;
  const request = { catalog, store, bundle, batch: newBatchId('example', new Date()) };
  await checkAllowedHere(client, { store }, options.state);
  const { batch, plan } = await submitBatch(client, request);
  for (const line of planNotes(plan, request)) note(line);
  note(`batch ${batch} of ${catalog}: ${summaryText(plan)}`);
  return batch;
}
