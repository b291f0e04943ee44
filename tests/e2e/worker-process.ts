import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

const CLI = path('../../cli/bin.mjs');
const END_WITH_STARTER = path('../../infra/dev/end-with-starter.mjs');

export type LogLine = { msg?: string; rendererPid?: number; encoderPid?: number; step?: number };

/** `pixart-batch worker` in a process of its own, known by its process id and by what it logs. It does not outlive this one. */
export class WorkerProcess {
  readonly lines: LogLine[] = [];
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #log: NodeJS.EventEmitter;

  /**
   * @param within what is put before the command, such as `ip netns exec <name>`
   * @param cli the program, for a worker of another version
   */
  constructor(options: string[], environment: NodeJS.ProcessEnv = {}, within: string[] = [], cli = CLI) {
    const command = [...within, process.execPath, '--import', END_WITH_STARTER, cli, 'worker', ...options];
    this.#process = spawn(command[0]!, command.slice(1), {
      stdio: ['pipe', 'ignore', 'pipe'],
      // Tests keep their stores and catalogs there; it is for them that a worker may open them.
      env: { ...process.env, PIXART_ALLOW: tmpdir(), ...environment },
    });
    this.#exit = once(this.#process, 'exit');
    this.#log = createInterface({ input: this.#process.stderr! });
    this.#log.on('line', (line: string) => this.lines.push(parsed(line)));
  }

  /** Waits until the process has logged this message. */
  async said(message: string): Promise<LogLine> {
    for (;;) {
      const found = this.lines.find(({ msg }) => msg === message);
      if (found) return found;
      if (this.hasEnded) throw new Error(`ended before "${message}": ${JSON.stringify(this.lines)}`);
      await Promise.race([once(this.#log, 'line'), this.#exit]);
    }
  }

  get pid(): number {
    return this.#process.pid!;
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  /** Process id of the child that renders now. */
  get rendererPid(): number {
    return this.lines.findLast(({ rendererPid }) => rendererPid !== undefined)!.rendererPid!;
  }

  /** Process id of the child that was started last, a renderer or a text encoder. */
  get childPid(): number {
    const pids = this.lines.flatMap(({ rendererPid, encoderPid }) => rendererPid ?? encoderPid ?? []);
    return pids.at(-1)!;
  }

  /** The steps at which this process went on with images that others had begun. */
  get wentOnAt(): number[] {
    return this.lines.flatMap(({ msg, step }) => (msg === 'resuming from a checkpoint' ? [step!] : []));
  }

  /** Sends the signal and waits until the process is gone. */
  async kill(signal: 'SIGKILL' | 'SIGTERM' | 'SIGUSR2'): Promise<number | null> {
    this.#process.kill(signal);
    return this.gone();
  }

  /** Waits for the process's end; the exit code, or null where a signal ended it. */
  async gone(): Promise<number | null> {
    await this.#exit;
    return this.#process.exitCode;
  }
}

/** What is not JSON, such as a crash's stack, is kept as a message. */
function parsed(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { msg: line };
  }
}
