import { Command } from 'commander';
import { temporalTarget } from '../../client/index.ts';
import type { Size } from '../../domain/size.ts';
import { type LocalFleet, startLocalFleet } from '../../infra/dev/local-fleet.ts';
import { bundleRef, chosenBundle, verifyBundle } from '../../models/pixart/index.ts';
import { note, printLine } from '../display/output.ts';
import { tellAbsence } from '../display/silent-server.ts';
import { interruption } from '../interruption.ts';
import { type AllowOptions, allowOption, placesOf } from '../options/allow-option.ts';
import {
  addServerOptions,
  bundleOption,
  childrenOption,
  deviceOption,
  type MicroBatchOption,
  microBatchOption,
  type ServerOptions,
  scratchOption,
  sizesOption,
  stateOption,
  storeOption,
  threadsOption,
  userProjectOption,
} from '../options/common-options.ts';
import { serverHint } from '../server-choice.ts';
import { withClient } from '../with-client.ts';

type DevOptions = ServerOptions &
  MicroBatchOption &
  AllowOptions & {
    store: string;
    bundle?: string;
    size?: Size[];
    device: string;
    children?: number;
    threads?: number;
    state: string;
    scratch?: string;
  };

const examples = `
Batches and their histories are kept in the state folder, so a later "dev" shows them again and resumes them. Histories are kept for 30
days after a batch ends. Older batches are still in their store: "status", "report" and "retry" find them there.

Examples:
  $ npx pixart-batch dev
  $ npx pixart-batch dev --size 256 --threads 4
  $ npx pixart-batch dev --store ./icons --allow ./catalogs
`;

export const devCommand = (): Command =>
  addServerOptions(new Command('dev'), 'a server started here')
    .addOption(bundleOption())
    .addOption(sizesOption("size to render; default: all the bundle's sizes"))
    .addOption(deviceOption())
    .addOption(childrenOption())
    .addOption(microBatchOption())
    .addOption(threadsOption())
    .addOption(stateOption())
    .addOption(scratchOption())
    .addOption(storeOption('where batches write their results; any other folder needs --allow'))
    .addOption(
      allowOption('--store and the state folder, any bucket, https webhooks at public addresses, and mail to anyone'),
    )
    .addOption(userProjectOption())
    .addHelpText('after', examples)
    .action(dev);

async function dev(options: DevOptions, command: Command): Promise<void> {
  const allow = placesOf(options);
  const bundle = await chosenBundle(options.bundle);
  await verifyBundle(bundle);
  const signal = interruption();
  const address = options.address ?? (process.env.TEMPORAL_ADDRESS || undefined);
  // Otherwise only the workers' logs would say that the server cannot be used, or has gone.
  if (address !== undefined) {
    await withClient({ ...options, address }, async (client) => void tellAbsence(client, note, signal));
  }
  note('starting …');
  const fleet = await startLocalFleet({
    stateFolder: options.state,
    address,
    namespace: options.namespace,
    bundle: bundle.folder,
    sizes: options.size ?? [],
    device: options.device,
    children: options.children,
    microBatch: options.microBatch,
    threads: options.threads,
    scratch: options.scratch,
    allow,
    tell: note,
  });
  try {
    const { sharedWith } = fleet;
    const shared =
      sharedWith === null ? '' : ` (run by process ${sharedWith}, whose workers share the work with these)`;
    printLine(`Temporal server  ${fleet.address}${shared}`);
    if (fleet.uiUrl !== null) printLine(`Temporal UI      ${fleet.uiUrl}`);
    printLine(`logs             ${fleet.logFolder}`);
    const { namespace } = temporalTarget({ ...options, address: fleet.address });
    const store = command.getOptionValueSource('store') !== 'default' ? ` --store ${options.store}` : '';
    const option = `${serverHint({ address: fleet.address, namespace })}${store}`;
    printLine(
      `In another terminal:\n  npx pixart-batch submit <catalog.csv> --wait${option}\n${whatStops(fleet, address)}`,
    );
    fleet.ready.then(() => {
      const { name, sizes } = bundleRef(bundle);
      printLine(
        `ready: renders ${(options.size ?? sizes).join(', ')} with ${name} on ${options.device}, into ${options.store}`,
      );
    });
    const interrupted = new Promise<null>((resolve) => {
      if (signal.aborted) resolve(null);
      signal.addEventListener('abort', () => resolve(null), { once: true });
    });
    const failure = await Promise.race([fleet.gaveUp, interrupted]);
    if (failure !== null) throw failure;
    note('\nstopping …');
  } finally {
    await fleet.stop();
  }
}

function whatStops({ sharedWith }: LocalFleet, given: string | undefined): string {
  if (given !== undefined) return 'Ctrl-C stops these workers; the server keeps running.';
  if (sharedWith === null) return 'Ctrl-C stops everything.';
  return `Ctrl-C stops these workers. If process ${sharedWith} ends, this one takes over the server, and Ctrl-C stops that too.`;
}
