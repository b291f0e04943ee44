import type { Command, Option } from 'commander';

/** What a shell offers after a command: its verbs, its options, and the words of its arguments. */
export type CommandWords = {
  name: string;
  description: string;
  commands: CommandWords[];
  options: OptionWords[];
  /** Of its first argument, where that is one of a few; a file may be meant otherwise. */
  choices: readonly string[];
};

export type OptionWords = {
  /** `--store`. */
  flag: string;
  description: string;
  /** Whether a value follows; `choices` are all that there are, or none where anything goes. */
  takesValue: boolean;
  choices: readonly string[];
};

/** @param description what is said of it where the command itself says nothing */
export function commandWords(command: Command, description = command.description()): CommandWords {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: firstClause(description),
    commands: help.visibleCommands(command).map((each) => commandWords(each)),
    options: help.visibleOptions(command).flatMap(optionWords),
    choices: command.registeredArguments[0]?.argChoices ?? [],
  };
}

function optionWords({ long, description, required, optional, argChoices = [] }: Option): OptionWords[] {
  if (!long) return [];
  return [{ flag: long, description: firstClause(description), takesValue: required || optional, choices: argChoices }];
}

const CHARACTERS = 60;

/** A menu has a line for each; what else there is to know, help says. */
function firstClause(text: string): string {
  const [clause = ''] = text.split(/[;:(,]\s/);
  return clause.length <= CHARACTERS ? clause : `${clause.slice(0, CHARACTERS - 1)}…`;
}
