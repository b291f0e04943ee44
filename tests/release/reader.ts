import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

/** They run until they are told to stop, and say when they accept work. */
const LASTING = /^npx pixart-batch (dev|worker)\b/;
const READY = /\bready\b/;

/** Runs commands as a reader types them, one after the other, in one folder. */
export class Reader {
  readonly #folder: string;
  readonly #environment: NodeJS.ProcessEnv;
  readonly #left: ReturnType<typeof spawn>[] = [];

  constructor(folder: string, environment: NodeJS.ProcessEnv) {
    this.#folder = folder;
    this.#environment = environment;
  }

  /** @throws Error for a command that ends with another code than 0, or that should last and ends */
  async type(command: string): Promise<void> {
    const shell = spawn('bash', ['-c', command], {
      cwd: this.#folder,
      env: this.#environment,
      stdio: ['ignore', 'pipe', 'pipe'],
      // Ctrl-C of a terminal is for all of its processes.
      detached: true,
    });
    let printed = '';
    for (const stream of [shell.stdout, shell.stderr]) {
      stream.on('data', (text) => {
        printed += text;
      });
    }
    const isLasting = LASTING.test(command);
    if (isLasting) {
      this.#left.push(shell);
      while (!hasEnded(shell) && !READY.test(printed)) await sleep(100);
    } else {
      await once(shell, 'close');
    }
    if (isLasting ? hasEnded(shell) : shell.exitCode !== 0) {
      const { exitCode, signalCode } = shell;
      throw new Error(
        `${command}\nexpected it to succeed, found ${signalCode ?? `exit code ${exitCode}`}:\n${printed}`,
      );
    }
  }

  /** Ctrl-C for what still runs, the latest first. */
  async leave(): Promise<void> {
    for (const shell of this.#left.reverse()) {
      if (hasEnded(shell)) continue;
      process.kill(-shell.pid!, 'SIGINT');
      await once(shell, 'close');
    }
  }
}

const hasEnded = ({ exitCode, signalCode }: ReturnType<typeof spawn>): boolean =>
  exitCode !== null || signalCode !== null;
