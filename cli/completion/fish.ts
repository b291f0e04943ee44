import type { CommandWords } from './command-words.ts';

/** For fish, which takes a line for each word. */
export function fishScript(program: string, root: CommandWords): string {
  const lines = linesOf(`complete -c ${program}`, root, []);
  return `# Completion of ${program} for fish. Made by "${program} completion fish".\n${lines.join('\n')}\n`;
}

function linesOf(begin: string, { commands, options, choices }: CommandWords, seen: readonly string[]): string[] {
  const names = commands.map(({ name }) => name);
  const here = [...seen, ...(names.length > 0 ? [`not ${seenFrom(names)}`] : [])].join('; and ');
  const when = here === '' ? '' : ` -n ${quoted(here)}`;
  const ofCommands = commands.map(({ name, description }) => `${begin}${when} -f -a ${name} -d ${quoted(description)}`);
  const ofOptions = options.map(({ flag, description, takesValue, choices: values }) => {
    const value = values.length > 0 ? ` -x -a ${quoted(values.join(' '))}` : takesValue ? ' -r -F' : '';
    return `${begin}${when} -l ${flag.replace(/^--/, '')}${value} -d ${quoted(description)}`;
  });
  const ofChoices = choices.length > 0 ? [`${begin}${when} -f -a ${quoted(choices.join(' '))}`] : [];
  const below = commands.flatMap((command) => linesOf(begin, command, [...seen, ...seenOf(command, commands)]));
  return [...ofCommands, ...ofOptions, ...ofChoices, ...below];
}

const seenFrom = (names: readonly string[]): string => `__fish_seen_subcommand_from ${names.join(' ')}`;

/** That a command was given: "schedule list" is no "list". */
function seenOf({ name }: CommandWords, siblings: readonly CommandWords[]): string[] {
  const others = siblings.filter(({ commands }) => commands.some((below) => below.name === name));
  return [seenFrom([name]), ...(others.length > 0 ? [`not ${seenFrom(others.map((other) => other.name))}`] : [])];
}

const quoted = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
