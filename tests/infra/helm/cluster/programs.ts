import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { childEnvironment } from '../../../../domain/child-environment.mjs';

/** Programs of the PATH that run until the check is over. They end with the process namespace that all of this is in. */
export class Programs {
  readonly #folder: string;
  readonly #names: string[] = [];
  readonly #gone: string[] = [];

  /** @param folder where their logs are kept */
  constructor(folder: string) {
    this.#folder = folder;
  }

  start(name: string, args: string[], environment: Record<string, string> = {}): void {
    const log = openSync(this.#log(name), 'a');
    const env = { ...childEnvironment('program'), ...environment };
    const child = spawn(name, args, { env, stdio: ['ignore', log, log] });
    this.#names.push(name);
    child.once('error', (error) => this.#gone.push(`${name}: ${error.message}`));
    child.once('exit', (code, signal) => this.#gone.push(`${name} ended with ${signal ?? code}`));
  }

  /** @throws Error where one of them has ended */
  check(): void {
    if (this.#gone.length > 0) throw new Error(this.#gone.join('; '));
  }

  /** What they said last, for somebody who wants to know why. */
  lastWords(lines = 15): string {
    const end = (name: string) => readFileSync(this.#log(name), 'utf8').trim().split('\n').slice(-lines).join('\n');
    return this.#names.map((name) => `-- ${name}\n${end(name)}`).join('\n');
  }

  readonly #log = (name: string): string => path.join(this.#folder, `${name}.log`);
}
