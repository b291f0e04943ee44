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
Compares the manifest of the batch's last round with the batch's copies and with the shared objects: bytes, checksum and render key. That is
read from the store alone; no server is needed, and nothing is written. It ends with exit code 3 where something differs.

With --repair a damaged copy comes back from the shared object, a damaged object from the copy, and where both are damaged, or the copy is
signed, another round of the batch makes the image anew, which needs server and workers. What was in their places is kept under damaged/ in the store.

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
    .option('--repair', 'bring back what differs, and keep what was in its place')
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

/** Another round of the batch renders them; then all of it is compared once more. */
async function renderAgain(batch: string, again: string[], { repair, ...options }: VerifyOptions): Promise<ExitCode> {
  const { store } = options;
  const json = options.json === true;
  const code = await withClient(options, async (client) => {
    await checkAllowedHere(client, { store });
    const { round } = await retryBatch(client, batch, { store, again });
    if (json) printJson({ batch, round, again: again.length });
    else note(`round ${round} renders ${count(again.length, 'image')} anew`);
    return watchToTheEnd(client, batch, json);
  });
  if (code === EXIT.interrupted) return code;
  const found = await verified(batch, options);
  tell(batch, found, options);
  return exitCode(found);
}

/** What was brought back does not count. */
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
    ...unrepaired.slice(0, LINES).map(({ id, reason }) => `${id}: could not be brought back: ${reason}`),
    ...(repair ? [] : [`bring them back with: npx pixart-batch verify ${batch} --store ${store} --repair`]),
  ];
}

const SOURCES: Record<RepairedImage['from'], string> = {
  object: 'came back from the shared objects',
  copy: "came back from the batch's copies",
  render: 'can only be rendered anew',
};

const repairText = (repaired: RepairedImage[]): string[] =>
  Object.entries(SOURCES).flatMap(([source, text]) => {
    const images = repaired.filter(({ from }) => from === source).length;
    return images === 0 ? [] : [`${count(images, 'image')} ${text}; what was in their places is under damaged/`];
  });
