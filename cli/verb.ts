import type { Command } from 'commander';

/** What `--help` says of a verb, and its command. */
export type Verb = { description: string; load(): Promise<Command> };
