import { type ChildProcess, spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const BIN = fileURLToPath(new URL('../../cli/bin.mjs', import.meta.url));

export type Finished = { code: number | null; stdout: string; stderr: string };

/** A command of ours that runs as a process, as a person would start it. */
export class RunningCommand {
  readonly finished: Promise<Finished>;
  readonly #process: ChildProcess;
  #stdout = '';
  #stderr = '';

  constructor(args: string[], environment: NodeJS.ProcessEnv = {}) {
    this.#process = spawn(process.execPath, args, {
      cwd: ROOT,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process.stdout?.on('data', (chunk) => {
      this.#stdout += chunk;
    });
    this.#process.stderr?.on('data', (chunk) => {
      this.#stderr += chunk;
    });
    this.finished = new Promise((resolve) => {
      this.#process.once('close', (code) => resolve({ code, stdout: this.#stdout, stderr: this.#stderr }));
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Waits until the command has printed something, and returns the match. @throws Error where it ends before */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    this.finished.then(() => {
      ended = true;
    });
    for (;;) {
      const match = pattern.exec(this.#stdout + this.#stderr);
      if (match) return match;
      if (ended) throw new Error(`expected ${pattern}, the command ended with:\n${this.#stdout}${this.#stderr}`);
      await sleep(100);
    }
  }

  signal(name: NodeJS.Signals): void {
    this.#process.kill(name);
  }
}

/** Runs `pixart-batch …` to its end. */
export const pixartBatch = (args: string[], environment?: NodeJS.ProcessEnv): Promise<Finished> =>
  startPixartBatch(args, environment).finished;

export const startPixartBatch = (args: string[], environment?: NodeJS.ProcessEnv): RunningCommand =>
  new RunningCommand([BIN, ...args], environment);

/** The command, if it ended with this exit code. @throws Error with all that it printed */
export function expectCode(code: number, finished: Finished): Finished {
  if (finished.code === code) return finished;
  throw new Error(`expected exit code ${code}, found ${finished.code} after:\n${finished.stdout}${finished.stderr}`);
}

/** What a command printed with --json: a value a line. */
export const jsonLines = ({ stdout }: Finished): unknown[] =>
  stdout
    .trim()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
