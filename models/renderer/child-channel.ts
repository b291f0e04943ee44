import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../domain/child-environment.mjs';
import type { ChildAnswer, ChildPart, FromChild, ToChild } from './protocol.ts';
import { RendererDied } from './renderer-faults.ts';

/** From the end of a child's channel to its exit. */
const EXIT_GRACE_MS = 1_000;

/** One of a child's calls: its messages, until it is closed. */
type ChildCall = {
  tell(message: Unnumbered<ToChild>): void;
  /** @throws RendererDied */
  hear(): Promise<ChildAnswer>;
  close(): void;
};

type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'call'> : never;

type Open = { heard: ChildAnswer[]; wake: () => void };

/** A child process from its start to its death, and the calls that it has in hand. */
export class ChildChannel {
  readonly #process: ChildProcess;
  readonly #exit: Promise<string>;
  readonly #ended: Promise<void>;
  #isEnded: () => void = () => {};
  readonly #open = new Map<number, Open>();
  #calls = 0;
  #lastHeard = performance.now();
  #longestSilenceMs = 0;
  #killedBecause: string | undefined;
  #openAtEnd: number | undefined;

  /** @param part shown in process listings; `load` decides what the child serves */
  constructor(part: ChildPart) {
    this.#ended = new Promise((resolve) => {
      this.#isEnded = resolve;
    });
    this.#process = fork(fileURLToPath(new URL('./child.mjs', import.meta.url)), [part], {
      // What this process was started with is not meant for the child.
      execArgv: [],
      env: childEnvironment('renderer'),
      // Pixels travel as bytes, not as JSON.
      serialization: 'advanced',
      // The parent's standard output may be read by a machine.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#process.on('message', (message: FromChild) => this.#take(message));
    this.#process.once('disconnect', () => this.#end());
    this.#exit = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ? `by ${signal}` : `with exit code ${code}`));
      this.#process.once('error', ({ message }) => resolve(`before it started: ${message}`));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get alive(): boolean {
    return this.#process.connected && this.#killedBecause === undefined;
  }

  /** Why this process ended it, if it did. */
  get killedBecause(): string | undefined {
    return this.#killedBecause;
  }

  /** Calls that were open when it ended; 0 while it lives. */
  get openAtEnd(): number {
    return this.#openAtEnd ?? 0;
  }

  /** The longest that it has said nothing with a call in hand. */
  get longestSilenceMs(): number {
    return this.#longestSilenceMs;
  }

  /** Resolves when it answers nothing any more; the process may take a moment longer to go. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Resolves when the process is no more. */
  get gone(): Promise<unknown> {
    return this.#exit;
  }

  open(): ChildCall {
    if (this.#open.size === 0) this.#lastHeard = performance.now();
    const call = ++this.#calls;
    const open: Open = { heard: [], wake: () => {} };
    this.#open.set(call, open);
    return {
      // Messages to a dead child are lost; a caller that waits for its answer learns that from hear().
      tell: (message) => this.#process.send({ call, ...message }, () => {}),
      hear: async () => {
        while (open.heard.length === 0) {
          if (!this.#process.connected) throw await this.#death();
          await new Promise<void>((resolve) => {
            open.wake = resolve;
          });
        }
        return open.heard.shift()!;
      },
      close: () => this.#open.delete(call),
    };
  }

  /** Ends the process at once: it holds nothing that has to be kept. */
  kill(because: string): void {
    this.#killedBecause ??= because;
    this.#openAtEnd ??= this.#open.size;
    this.#process.kill('SIGKILL');
    this.#isEnded();
  }

  #take({ call, ...answer }: FromChild): void {
    const now = performance.now();
    this.#longestSilenceMs = Math.max(this.#longestSilenceMs, now - this.#lastHeard);
    this.#lastHeard = now;
    const open = this.#open.get(call);
    open?.heard.push(answer);
    open?.wake();
  }

  #end(): void {
    this.#openAtEnd ??= this.#open.size;
    for (const { wake } of this.#open.values()) wake();
    this.#isEnded();
  }

  async #death(): Promise<RendererDied> {
    const hung = setTimeout(() => this.kill('it closed its channel and kept running'), EXIT_GRACE_MS);
    const how = await this.#exit;
    clearTimeout(hung);
    const because = this.#killedBecause ? `: ${this.#killedBecause}` : '';
    return new RendererDied(`renderer process ${this.pid} ended ${how} before it answered${because}`);
  }
}
