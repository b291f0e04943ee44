import { Command } from 'commander';
import { type RepairedImage, retryBatch, type Verification, verifyBatch } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';
import { checkAllowedHere } from '../allowed-here.ts';
import { watchToTheEnd } from '../display/follow-batch.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { type StepDisplay, stepDisplay } from '../display/step-display.ts';
import { count } from '../display/text.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  storeOption,
  userProjectOption,
} from '../options/common-options.ts';
import { withClient } from '../with-client.ts';

const examples = `
Compares the manifest of the batch's last round with the batch's copies and with the shared objects: bytes, checksum and render key. It
reads only the store, needs no server and writes nothing. Exits with code 3 if something differs.
With --repair, a damaged copy is restored from the shared object, and a damaged object from the copy. If both are damaged, or the copy is
signed, another round of the batch renders the image again, which needs a server and workers. The damaged files are kept under damaged/ in
the store.

Examples:
  $ npx pixart-batch verify spring-20260131T093000Z
  $ npx pixart-batch verify spring-20260131T093000Z --store gs://my-bucket/images --json | jq .differences
  $ npx pixart-batch verify spring-20260131T093000Z --repair
`;

export const verifyCommand = (): Command =>
  addServerOptions(new Command('verify'))
    .argument('<batch>')
    .addOption(storeOption())
    .addOption(userProjectOption())
    .option('--repair', 'restore what differs, and keep the damaged files')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(verify);

type VerifyOptions = ServerOptions & JsonOptions & { store: string; repair?: true };

async function verify(batch: string, options: VerifyOptions): Promise<void> {
  const found = await verified(batch, options);
  tell(batch, found, options);
  const again = found.repaired.filter(({ from }) => from === 'render').map(({ id }) => id);
  process.exitCode = again.length > 0 ? await renderAgain(batch, again, options) : exitCode(found, options.repair);
}

async function verified(batch: string, { store, repair }: Pick<VerifyOptions, 'store' | 'repair'>) {
  let display: StepDisplay | undefined;
  const onImages = (done: number, images: number): void => {
    display ??= stepDisplay(images, { what: 'image' });
    display.show(done);
  };
  try {
    return await verifyBatch(batch, { store, repair, onImages });
  } finally {
    display?.end();
  }
}

/** Renders them in another round of the batch, then compares everything again. */
async function renderAgain(batch: string, again: string[], { repair, ...options }: VerifyOptions): Promise<ExitCode> {
  const { store } = options;
  const json = options.json === true;
  const code = await withClient(options, async (client) => {
    await checkAllowedHere(client, { store });
    const { round } = await retryBatch(client, batch, { store, again });
    if (json) printJson({ batch, round, again: again.length });
    else note(`round ${round} renders ${count(again.length, 'image')} again`);
    return watchToTheEnd(client, batch, json);
  });
  if (code === EXIT.interrupted) return code;
  const found = await verified(batch, options);
  tell(batch, found, options);
  return exitCode(found);
}

/** Restored images do not count as differences. */
const exitCode = ({ differences, unrepaired }: Verification, repair = false): ExitCode =>
  (repair ? unrepaired : differences).length === 0 ? EXIT.ok : EXIT.imagesMissing;

function tell(batch: string, found: Verification, options: VerifyOptions): void {
  if (options.json) printJson({ batch, ...found });
  else
    printLine(
      describe(batch, found, options)
        .map((line) => oneLine(line))
        .join('\n  '),
    );
}

const LINES = 50;

function describe(
  batch: string,
  { images, differences, repaired, unrepaired }: Verification,
  { store, repair }: Pick<VerifyOptions, 'store' | 'repair'>,
): string[] {
  const ids = new Set(differences.map(({ id }) => id));
  if (ids.size === 0) return [`batch ${batch}: ${count(images, 'image')}, all as they were made`];
  const lines = differences.map(({ id, name, fault }) => `${id}: ${name}: ${fault}`);
  return [
    `batch ${batch}: ${count(images, 'image')}, ${ids.size} of them not as they were made`,
    ...lines.slice(0, LINES),
    ...(lines.length > LINES ? [`… and ${lines.length - LINES} more; --json has all`] : []),
    ...repairText(repaired),
    ...unrepaired.slice(0, LINES).map(({ id, reason }) => `${id}: could not be restored: ${reason}`),
    ...(repair ? [] : [`restore them with: npx pixart-batch verify ${batch} --store ${store} --repair`]),
  ];
}

const SOURCES: Record<RepairedImage['from'], string> = {
  object: 'restored from the shared objects',
  copy: "restored from the batch's copies",
  render: 'can only be rendered again',
};

const repairText = (repaired: RepairedImage[]): string[] =>
  Object.entries(SOURCES).flatMap(([source, text]) => {
    const images = repaired.filter(({ from }) => from === source).length;
    return images === 0 ? [] : [`${count(images, 'image')} ${text}; the damaged files are under damaged/`];
  });
