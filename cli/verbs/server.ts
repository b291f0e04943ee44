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
Runs the server of "dev" without its workers, for workers that something else starts, such as systemd (docs/deploy.md). It keeps everything in
one file of the state folder, and listens only on this machine, without authentication. A "dev" with the same state folder joins it.

Examples:
  $ npx pixart-batch server
  $ npx pixart-batch server --state /var/lib/pixart-batch
`;

export const serverCommand = (): Command =>
  new Command('server')
    .addOption(stateOption())
    .addOption(portOption('--port', 'port for workers and commands', 7233))
    .addOption(portOption('--ui-port', 'port of its UI', 8233))
    .addHelpText('after', examples)
    .action(run);

const portOption = (name: string, what: string, usual: number): Option =>
  new Option(`${name} <port>`, what).argParser(wholeNumber(1, 65_535)).default(usual);

async function run({ state, port, uiPort }: Options): Promise<void> {
  const signal = interruption();
  if (privateFolder(state)) note(`${state}: made readable by you only`);
  const server = await keepServer({ dbFile: serverFile(state), port, uiPort }, note);
  try {
    rememberServer(state, server);
    const shared = server.joined === null ? '' : ` (run by process ${server.joined})`;
    printLine(`Temporal server  ${server.address}${shared}\nTemporal UI      ${server.uiUrl ?? 'none'}`);
    const failure = await Promise.race([server.gaveUp, untilAborted(signal)]);
    if (failure !== null) throw failure;
  } finally {
    await server.stop();
  }
}

const untilAborted = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    // The server is a separate process, which would not keep this one alive.
    const staying = setInterval(() => {}, 86_400_000);
    const end = (): void => {
      clearInterval(staying);
      resolve(null);
    };
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
