import { Command, Option } from 'commander';
import { keepServer } from '../../infra/dev/kept-server.ts';
import { privateFolder } from '../../infra/dev/private-files.ts';
import { rememberServer } from '../../infra/dev/server-memory.ts';
import { serverFile } from '../../infra/dev/temporal-program.ts';
import { note, printLine } from '../display/output.ts';
import { interruption } from '../interruption.ts';
import { stateOption } from '../options/common-options.ts';
import { wholeNumber } from '../options/values.ts';

type Options = { state: string; port: number; uiPort: number };

const examples = `
The server that "dev" runs, without its workers: for workers that something else starts, as systemd does (docs/deploy.md). It keeps everything in one
file of the state folder, and listens on this machine alone, where nobody has to say who they are. "dev" on the same state folder joins it.

Examples:
  $ npx pixart-batch server
  $ npx pixart-batch server --state /var/lib/pixart-batch
`;

export const serverCommand = (): Command =>
  new Command('server')
    .addOption(stateOption())
    .addOption(portOption('--port', 'where workers and commands find it', 7233))
    .addOption(portOption('--ui-port', 'where browsers find its UI', 8233))
    .addHelpText('after', examples)
    .action(run);

const portOption = (name: string, what: string, usual: number): Option =>
  new Option(`${name} <port>`, what).argParser(wholeNumber(1, 65_535)).default(usual);

async function run({ state, port, uiPort }: Options): Promise<void> {
  const signal = interruption();
  if (privateFolder(state)) note(`${state}: only you can read it from now on`);
  const server = await keepServer({ dbFile: serverFile(state), port, uiPort }, note);
  try {
    rememberServer(state, server);
    const shared = server.joined === null ? '' : ` (of process ${server.joined})`;
    printLine(`Temporal server  ${server.address}${shared}\nTemporal UI      ${server.uiUrl ?? 'none'}`);
    const failure = await Promise.race([server.gaveUp, untilAborted(signal)]);
    if (failure !== null) throw failure;
  } finally {
    await server.stop();
  }
}

const untilAborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    // The server is a process of its own, for whose sake this one would not stay.
    const staying = setInterval(() => {}, 86_400_000);
    const end = (): void => {
      clearInterval(staying);
      resolve(null);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
