import type { Command } from 'commander';

/** A verb's description for `--help`, and its command. */
export type Verb = { description: string; load(): Promise<Command> };
