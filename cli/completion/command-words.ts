import type { Command, Option } from 'commander';
import { MACHINE_NAMES, type MachineNames } from './machine-names.ts';

/** What a shell offers after a command: its verbs, its options, and the words of its arguments. */
export type CommandWords = {
  name: string;
  description: string;
  commands: CommandWords[];
  options: OptionWords[];
  /** Choices of the first argument, if it has any; without them it may be a file. */
  choices: readonly string[];
  /** Names of its first argument, if they are found on the machine. */
  names?: MachineNames | undefined;
};

export type OptionWords = {
  /** `--store`. */
  flag: string;
  description: string;
  /** Whether a value follows; `choices` lists the allowed values, and is empty if any value is allowed. */
  takesValue: boolean;
  choices: readonly string[];
  /** Its values, if they are found on the machine. */
  names?: MachineNames | undefined;
};

/** @param description used if the command has no description of its own */
export function commandWords(command: Command, description = command.description()): CommandWords {
  const help = command.createHelp();
  return {
    name: command.name(),
    description: firstClause(description),
    commands: help.visibleCommands(command).map((each) => commandWords(each)),
    options: help.visibleOptions(command).flatMap(optionWords),
    choices: command.registeredArguments[0]?.argChoices ?? [],
    names: MACHINE_NAMES.find((name) => name === command.registeredArguments[0]?.name()),
  };
}

function optionWords({ long, description, required, optional, argChoices = [] }: Option): OptionWords[] {
  if (!long) return [];
  const names = long === '--bundle' ? 'bundle' : undefined;
  const takesValue = required || optional;
  return [{ flag: long, description: firstClause(description), takesValue, choices: argChoices, names }];
}

const CHARACTERS = 60;

/** A completion menu has one line per entry; `--help` has the rest. */
function firstClause(text: string): string {
  const [clause = ''] = text.split(/[;:(,]\s/);
  return clause.length <= CHARACTERS ? clause : `${clause.slice(0, CHARACTERS - 1)}…`;
}
