import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../domain/child-environment.mjs';
import type { ChildAnswer, ChildPart, FromChild, ToChild } from './protocol.ts';
import { RendererDied } from './renderer-faults.ts';

/** How long a child may keep running after its channel has closed. */
const EXIT_GRACE_MS = 1_000;

/** One call to a child. Its messages arrive until it is closed. */
type ChildCall = {
  send(message: Unnumbered<ToChild>): void;
  /** @throws RendererDied */
  receive(): Promise<ChildAnswer>;
  close(): void;
};

type Unnumbered<Message> = Message extends unknown ? Omit<Message, 'call'> : never;

type Open = { received: ChildAnswer[]; wake: () => void };

/** A child process from its start to its end, and the calls that are open. */
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
      // The child does not inherit this process's Node options.
      execArgv: [],
      env: childEnvironment('renderer'),
      // Pixels travel as bytes, not as JSON.
      serialization: 'advanced',
      // A program may be reading the parent's standard output.
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

  /** Why this process killed it, if it did. */
  get killedBecause(): string | undefined {
    return this.#killedBecause;
  }

  /** Calls that were open when it ended; 0 while it lives. */
  get openAtEnd(): number {
    return this.#openAtEnd ?? 0;
  }

  /** Its longest silence so far while a call was open. */
  get longestSilenceMs(): number {
    return this.#longestSilenceMs;
  }

  /** Resolves when it can answer no more; the process may exit a moment later. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  /** Resolves when the process has exited. */
  get gone(): Promise<unknown> {
    return this.#exit;
  }

  open(): ChildCall {
    if (this.#open.size === 0) this.#lastHeard = performance.now();
    const call = ++this.#calls;
    const open: Open = { received: [], wake: () => {} };
    this.#open.set(call, open);
    return {
      // Messages to a dead child are lost; a caller that waits for an answer learns so from receive().
      send: (message) => this.#process.send({ call, ...message }, () => {}),
      receive: async () => {
        while (open.received.length === 0) {
          if (!this.#process.connected) throw await this.#death();
          await new Promise<void>((resolve) => {
            open.wake = resolve;
          });
        }
        return open.received.shift()!;
      },
      close: () => this.#open.delete(call),
    };
  }

  /** Kills the process at once: it holds nothing that has to be saved. */
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
    open?.received.push(answer);
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
