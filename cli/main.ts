import { Command, CommanderError } from 'commander';
import project from '../package.json' with { type: 'json' };
import { bundleCommand } from './bundle.ts';
import { cancelCommand } from './cancel.ts';

import { devCommand } from './dev.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { listCommand } from './list.ts';
import { planCommand } from './plan.ts';

import { renderCommand } from './render.ts';
import { retryCommand } from './retry.ts';
import { scheduleCommand } from './schedule.ts';
import { startCommand } from './start.ts';
import { statusCommand } from './status.ts';
import { submitCommand } from './submit.ts';
import { watchCommand } from './watch.ts';
import { workerCommand } from './worker.ts';

const help = `
Exit codes:
  0 done   1 fault of the program   2 wrong usage or input   3 the batch ended and images are missing
  4 Temporal server or store cannot be used   130 interrupted (a batch that was watched goes on)

First steps:
  $ npx pixart-batch render "a glossy apple on a green background" --out apple.png
  $ npx pixart-batch dev                              # in one terminal
  $ npx pixart-batch submit catalog.csv --wait        # in another
`;

/** Runs one command line. Nothing is thrown: a UserError becomes one message, without a stack. */
export async function main(argv: string[]): Promise<ExitCode> {
  try {
    await program().parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? EXIT.ok;
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    const code = exitCodeOf(error);
    const text = code === EXIT.unexpected ? (error as Error).stack : (error as Error).message;
    process.stderr.write(`pixart-batch: ${text ?? error}\n`);
    return code;
  }
}

function program(): Command {
  const command = new Command('pixart-batch')
    .description('Turns a catalog of prompts into images in a store: PixArt-Σ on fleets of workers, run by Temporal.')
    .version(project.version)
    .addHelpText('after', help)
    .showHelpAfterError('(--help shows what there is)');
  for (const verb of [
    planCommand(),
    submitCommand(),
    watchCommand(),
    statusCommand(),
    listCommand(),
    cancelCommand(),
    retryCommand(),
    scheduleCommand(),
    renderCommand(),
    workerCommand(),
    devCommand(),
    startCommand(),
    bundleCommand(),
  ]) {
    command.addCommand(verb);
  }
  throwInsteadOfExit(command);
  return command;
}

/** Settings of a command do not reach the ones added to it. */
function throwInsteadOfExit(command: Command): void {
  command.exitOverride();
  for (const subcommand of command.commands) throwInsteadOfExit(subcommand);
}
