import type { CommandWords, OptionWords } from './command-words.ts';

/** For zsh, in a file `_pixart-batch` of a folder of its fpath, or sourced after compinit. */
export function zshScript(program: string, root: CommandWords): string {
  return `#compdef ${program}
# Completion of ${program} for zsh. Made by "${program} completion zsh".
${functionsOf(functionName(program), root).join('\n')}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  ${functionName(program)} "$@"
else
  compdef ${functionName(program)} ${program}
fi
`;
}

const functionName = (path: string): string => `_${path}`;

function functionsOf(name: string, { commands, options, choices }: CommandWords): string[] {
  const specs = options.map((option) => `    ${quoted(optionSpec(option))}`);
  if (commands.length === 0) {
    const rest = choices.length > 0 ? `*:value:(${choices.join(' ')})` : '*:file:_files';
    return [`${name}() {\n  _arguments \\\n${[...specs, `    ${quoted(rest)}`].join(' \\\n')}\n}`];
  }
  const described = commands.map(
    (command) => `    ${quoted(`${command.name}:${command.description.replaceAll(':', '\\:')}`)}`,
  );
  const own = `${name}() {
  local state
  local -a commands=(
${described.join('\n')}
  )
  _arguments -C \\
${[...specs, "    '1:command:->command'", "    '*::argument:->rest'"].join(' \\\n')}
  case $state in
    command) _describe command commands ;;
    rest)
      case $words[1] in
${commands.map((command) => `        ${command.name}) ${name}_${command.name} ;;`).join('\n')}
      esac ;;
  esac
}`;
  return [...commands.flatMap((command) => functionsOf(`${name}_${command.name}`, command)), own];
}

function optionSpec({ flag, description, takesValue, choices }: OptionWords): string {
  const value = choices.length > 0 ? `:value:(${choices.join(' ')})` : takesValue ? ':value:_files' : '';
  const text = description.replaceAll(/[[\]\\:]/g, '\\$&');
  return `*${flag}${takesValue ? '=' : ''}[${text}]${value}`;
}

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
