import type { CommandWords, OptionWords } from './command-words.ts';

/** For bash 4 and later, without the package bash-completion. Where nothing is known, names of files are offered. */
export function bashScript(program: string, root: CommandWords): string {
  const name = `_${program.replaceAll('-', '_')}`;
  return `# Completion of ${program} for bash. Made by "${program} completion bash".
${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} path='' word at
  # Bash takes --option=value for three words.
  [[ $current == = ]] && current=''
  [[ $previous == = ]] && previous=\${COMP_WORDS[COMP_CWORD-2]}
  for ((at = 1; at < COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    case "$path $word" in
${commandPaths(root)
  .map(([path]) => `      '${path}') path='${path}' ;;`)
  .join('\n')}
    esac
  done
  local commands='' options='' choices='' values=''
  case "$path" in
${[['', root] as const, ...commandPaths(root)].map(caseOf).join('\n')}
  esac
  case "$path $previous" in
${commandPaths(root).flatMap(valueCases).join('\n')}
  esac
  if [[ $values == '*' ]]; then
    COMPREPLY=()
  elif [[ -n $values ]]; then
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$commands $choices" -- "$current"))
  fi
}
complete -o default -F ${name} ${program}
`;
}

/** Every command below the program by its path, ` schedule create`, with those that it is below before it. */
function commandPaths({ commands }: CommandWords, above = ''): (readonly [path: string, command: CommandWords])[] {
  return commands.flatMap((command) => {
    const path = `${above} ${command.name}`;
    return [[path, command] as const, ...commandPaths(command, path)];
  });
}

function caseOf([path, { commands, options, choices }]: readonly [string, CommandWords]): string {
  const flags = options.map(({ flag }) => flag).join(' ');
  return `    '${path}') commands='${commands.map(({ name }) => name).join(' ')}' options='${flags}' choices='${choices.join(' ')}' ;;`;
}

/** `*` where the shell offers files: nobody knows the values, and an option is none of them. */
const valueCases = ([path, { options }]: readonly [string, CommandWords]): string[] =>
  options
    .filter(({ takesValue }) => takesValue)
    .map(({ flag, choices }: OptionWords) => `    '${path} ${flag}') values='${choices.join(' ') || '*'}' ;;`);
