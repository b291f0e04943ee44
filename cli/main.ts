import { Command, CommanderError } from 'commander';
import { withoutSecrets } from '../domain/secrets.ts';
import project from '../package.json' with { type: 'json' };
import { note, writeLine } from './display/output.ts';
import { EXIT, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { USER_PROJECT } from './options/common-options.ts';

export { EXIT };

const help = `
Exit codes:
  0 done   1 fault of the program   2 wrong usage or input   3 the batch ended and images are missing or damaged, or not all could be forgotten
  4 Temporal server or store cannot be used   130 interrupted, 141 the output's reader has ended (a batch that was watched goes on)

First steps:
  $ npx pixart-batch render "a glossy apple on a green background" --out apple.png
  $ npx pixart-batch dev                              # in one terminal
  $ npx pixart-batch submit catalog.csv --wait        # in another
`;

/** Runs one command line. Nothing is thrown: a UserError becomes one message, without a stack. */
export async function main(argv: string[]): Promise<ExitCode> {
  try {
    const command = await program(argv[2] ?? '');
    await command.parseAsync(argv);
    return (process.exitCode as ExitCode | undefined) ?? EXIT.ok;
  } catch (error) {
    // Commander has printed its message, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.badInput;
    const code = exitCodeOf(error);
    const text = code === EXIT.unexpected ? (error as Error).stack : (error as Error).message;
    note(`pixart-batch: ${withoutSecrets(text ?? String(error))}`);
    return code;
  }
}

/** In the order in which help lists them. */
const verbs: Record<string, () => Promise<Command>> = {
  plan: async () => (await import('./verbs/plan.ts')).planCommand(),
  submit: async () => (await import('./verbs/submit.ts')).submitCommand(),
  watch: async () => (await import('./verbs/watch.ts')).watchCommand(),
  status: async () => (await import('./verbs/status.ts')).statusCommand(),
  list: async () => (await import('./verbs/list.ts')).listCommand(),
  pause: async () => (await import('./verbs/pause.ts')).pauseCommand(),
  resume: async () => (await import('./verbs/resume.ts')).resumeCommand(),
  window: async () => (await import('./verbs/window.ts')).windowCommand(),
  priority: async () => (await import('./verbs/priority.ts')).priorityCommand(),
  cancel: async () => (await import('./verbs/cancel.ts')).cancelCommand(),
  retry: async () => (await import('./verbs/retry.ts')).retryCommand(),
  export: async () => (await import('./verbs/export.ts')).exportCommand(),
  report: async () => (await import('./verbs/report.ts')).reportCommand(),
  verify: async () => (await import('./verbs/verify.ts')).verifyCommand(),
  audit: async () => (await import('./verbs/audit.ts')).auditCommand(),
  clean: async () => (await import('./verbs/clean.ts')).cleanCommand(),
  forget: async () => (await import('./verbs/forget.ts')).forgetCommand(),
  schedule: async () => (await import('./verbs/schedule/schedule.ts')).scheduleCommand(),
  render: async () => (await import('./verbs/render/render.ts')).renderCommand(),
  inspect: async () => (await import('./verbs/inspect.ts')).inspectCommand(),
  worker: async () => (await import('./verbs/worker.ts')).workerCommand(),
  dev: async () => (await import('./verbs/dev.ts')).devCommand(),
  start: async () => (await import('./verbs/start.ts')).startCommand(),
  'codec-server': async () => (await import('./verbs/codec-server.ts')).codecServerCommand(),
  'upgrade-server': async () => (await import('./verbs/upgrade-server.ts')).upgradeServerCommand(),
  encryption: async () => (await import('./verbs/encryption.ts')).encryptionCommand(),
  bundle: async () => (await import('./verbs/bundle.ts')).bundleCommand(),
};

export const VERBS = Object.keys(verbs);

/** Only the verb that was asked for is loaded: all of them take a second of processor time. */
async function program(asked: string): Promise<Command> {
  const command = new Command('pixart-batch')
    .description('Turns a catalog of prompts into images in a store: PixArt-Σ on fleets of workers, run by Temporal.')
    .version(project.version)
    .addHelpText('after', help)
    .hook('preAction', (_, verb) => setUserProject(verb.opts()));
  const wanted = Object.hasOwn(verbs, asked) ? [asked] : VERBS;
  for (const verb of wanted) command.addCommand(await verbs[verb]!());
  setErrors(command);
  return command;
}

/** Who pays is a matter of the whole process: its stores, and the workers that it starts, find it in the environment. */
function setUserProject({ userProject }: { userProject?: string }): void {
  if (userProject !== undefined) process.env[USER_PROJECT] = userProject;
}

/** Settings of a command do not reach the ones added to it. */
function setErrors(command: Command): void {
  command.exitOverride().showHelpAfterError('(--help shows what there is)');
  // What it does not know it repeats.
  command.configureOutput({ writeErr: (text) => writeLine(process.stderr, text.trimEnd()) });
  for (const subcommand of command.commands) setErrors(subcommand);
}
