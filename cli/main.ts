import { Command, CommanderError } from 'commander';
import { fileTrouble } from '../domain/file-trouble.ts';
import { withoutSecrets } from '../domain/secrets.ts';
import project from '../package.json' with { type: 'json' };
import { note, writeLine } from './display/output.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { USER_PROJECT } from './options/common-options.ts';
import { VERBS } from './verb-table.ts';

export { EXIT };

const help = `
Exit codes:
  0 success   1 bug in the program   2 wrong usage or input   3 the batch ended with images missing or damaged, or not all could be forgotten
  4 Temporal server or store cannot be used   130 interrupted, 141 output closed by its reader (a batch that was watched continues)

First steps:
  $ npx pixart-batch render "a glossy apple on a green background" --out apple.png
  $ npx pixart-batch dev                              # in one terminal
  $ npx pixart-batch submit catalog.csv --wait        # in another
`;

/** Runs one command line. It never throws: a UserError becomes one message, without a stack. */
export async function main(argv: string[]): Promise<ExitCode> {
  try {
    const command = await program(argv.slice(2));
    await command.parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? EXIT.ok;
  } catch (error) {
    // Commander has already printed its message, or the requested help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    const code = exitCodeOf(error);
    note(`pixart-batch: ${withoutSecrets(code === EXIT.unexpected ? stackOf(error) : messageOf(error))}`);
    return code;
  }
}

const stackOf = (error: unknown): string => (error as Error).stack ?? String(error);

function messageOf(error: unknown): string {
  const { message } = error as Error;
  const trouble = fileTrouble(error);
  return trouble === null ? message : `${trouble} (${message})`;
}

async function program(args: string[]): Promise<Command> {
  const command = new Command('pixart-batch')
    .description('Turns a catalog of prompts into images in a store: PixArt-Σ on fleets of workers, run by Temporal.')
    .version(project.version)
    .configureHelp({ subcommandTerm: (verb) => verb.name() })
    .addHelpText('after', help)
    .hook('preAction', (_, verb) => setUserProject(verb.opts()));
  const asked = verbOf(args);
  for (const [name, { description, load }] of Object.entries(VERBS)) {
    const verb = name === asked ? await load() : new Command(name);
    command.addCommand(verb.description(description));
  }
  setErrors(command);
  return command;
}

/** The verb to run or explain; for all the others, help needs only their names. */
function verbOf(args: string[]): string | undefined {
  const words = args.filter((arg) => !arg.startsWith('-'));
  return words[0] === 'help' ? words[1] : words[0];
}

/** Billing concerns the whole process: its stores, and the workers it starts, read the project from the environment. */
function setUserProject({ userProject }: { userProject?: string }): void {
  if (userProject !== undefined) process.env[USER_PROJECT] = userProject;
}

/** Subcommands do not inherit these settings. */
function setErrors(command: Command): void {
  command.exitOverride().showHelpAfterError('(see --help)');
  // Commander's messages repeat unknown arguments, which may hold control characters.
  command.configureOutput({ writeErr: (text) => writeLine(process.stderr, text.trimEnd()) });
  for (const subcommand of command.commands) setErrors(subcommand);
}
