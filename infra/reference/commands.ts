import { Command } from 'commander';
import { VERBS } from '../../cli/verb-table.ts';
import { code, codes, table } from './markdown.ts';

/** The width of help in the page: a terminal's width would depend on who generates it. */
const COLUMNS = 120;

/** A verb or a subcommand, with the words that a person types for it. */
type Described = { words: string; command: Command };

/** @returns every verb, each followed by its subcommands */
async function allCommands(): Promise<Described[]> {
  const found = Object.entries(VERBS).map(async ([name, { description, load }]) => {
    const program = new Command('pixart-batch');
    program.addCommand((await load()).description(description));
    return withSubcommands(name, program.commands[0]!);
  });
  return (await Promise.all(found)).flat();
}

const withSubcommands = (words: string, command: Command): Described[] => [
  { words, command },
  ...command.commands.flatMap((each) => withSubcommands(`${words} ${each.name()}`, each)),
];

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ getOutHelpWidth: () => COLUMNS, writeOut: (more) => (text += more) }).outputHelp();
  return text.replaceAll(/ +$/gm, '').trim();
}

/** Environment variables for options, with all commands that read them. */
function variables(commands: readonly Described[]): string[][] {
  const rows = new Map<string, { option: string; verbs: string[] }>();
  for (const { words, command } of commands) {
    for (const { envVar, long } of command.options) {
      if (envVar === undefined) continue;
      const row = rows.get(envVar) ?? { option: long!, verbs: [] };
      rows.set(envVar, { ...row, verbs: [...row.verbs, words] });
    }
  }
  return [...rows].sort().map(([name, { option, verbs }]) => [code(name), code(option), codes(verbs)]);
}

/** The help of every command. */
export async function commandsPage(): Promise<string> {
  const commands = await allCommands();
  const sections = commands.map(
    ({ words, command }) =>
      `${'#'.repeat(words.split(' ').length + 1)} ${words}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``,
  );
  return `# Command line

What \`npx pixart-batch <command> --help\` prints.

${sections.join('\n\n')}

## Environment variables

An option on the command line takes precedence over its variable. Variables without an option: [guide.md](../guide.md#environment).

${table(['variable', 'option', 'read by'], variables(commands))}
`;
}
