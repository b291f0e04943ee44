import { Argument, Command } from 'commander';
import { bashScript } from '../completion/bash.ts';
import { type CommandWords, commandWords } from '../completion/command-words.ts';
import { fishScript } from '../completion/fish.ts';
import { zshScript } from '../completion/zsh.ts';
import { printLine } from '../display/output.ts';
import type { Verb } from '../verb.ts';

const examples = `
Completes verbs, options and their values, names of installed bundles, ids of batches whose store is a folder (PIXART_STORE, or out),
and file names everywhere else. The shell does not start this program to complete, so generate the script again after an upgrade. It
expects a program named pixart-batch on the PATH.

Examples:
  $ npx pixart-batch completion bash > ~/.local/share/bash-completion/completions/pixart-batch
  $ npx pixart-batch completion zsh > "\${fpath[1]}/_pixart-batch"
  $ npx pixart-batch completion fish > ~/.config/fish/completions/pixart-batch.fish
  $ source <(npx pixart-batch completion bash)              # in this shell alone
`;

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

type Shell = keyof typeof SCRIPTS;

/** @param verbs all verbs, including this one */
export const completionCommand = (verbs: Readonly<Record<string, Verb>>): Command =>
  new Command('completion')
    .addArgument(new Argument('<shell>').choices(Object.keys(SCRIPTS)))
    .addHelpText('after', examples)
    .action((shell: Shell) => completion(shell, Object.values(verbs)));

const PROGRAM = 'pixart-batch';

async function completion(shell: Shell, verbs: readonly Verb[]): Promise<void> {
  const commands = await Promise.all(
    verbs.map(async ({ description, load }) => commandWords(await load(), description)),
  );
  const root: CommandWords = { ...commandWords(new Command(PROGRAM)), commands };
  printLine(SCRIPTS[shell](PROGRAM, root).trimEnd());
}
