import { setTimeout as sleep } from 'node:timers/promises';
import type { LogLine, WorkerProcess } from '../e2e/worker-process.ts';

/** One that cannot reach its server ends at once, and would otherwise be started without a pause. */
const RESTART_PAUSE_MS = 200;

/** A worker process that is started again whenever it ends, as a supervisor would. */
export class KeptWorker {
  readonly #start: () => WorkerProcess;
  readonly #ready: string;
  readonly #kept: Promise<void>;
  #process: WorkerProcess;
  #killedChild = 0;
  #stopping = false;

  #imagesBefore = 0;
  readonly #before: LogLine[] = [];

  /** @param ready what the process logs when it can work */
  constructor(start: () => WorkerProcess, ready: string) {
    this.#start = start;
    this.#ready = ready;
    this.#process = start();
    this.#kept = this.#keep();
  }

  /** Whether it can work now, for all that it has logged. */
  get works(): boolean {
    return !this.#process.hasEnded && this.#process.lines.some(({ msg }) => msg === this.#ready);
  }

  /** Whether it works, with a renderer child that was not killed yet. */
  get hasChild(): boolean {
    return this.works && this.childPid !== this.#killedChild;
  }

  /** Images that it has finished, by its own account. */
  get images(): number {
    return this.#imagesBefore + this.#process.lines.filter(({ msg }) => msg === 'image rendered').length;
  }

  /** What all of its processes have logged. */
  get lines(): LogLine[] {
    return [...this.#before, ...this.#process.lines];
  }

  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  /** Of the child that computes: a renderer, or a text encoder. */
  get childPid(): number {
    return this.#process.childPid;
  }

  killChild(): void {
    this.#killedChild = this.childPid;
    process.kill(this.#killedChild, 'SIGKILL');
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#process.kill('SIGKILL');
    await this.#kept;
  }

  async #keep(): Promise<void> {
    for (;;) {
      await this.#process.gone();
      await sleep(RESTART_PAUSE_MS);
      if (this.#stopping) return;
      this.#imagesBefore = this.images;
      this.#before.push(...this.#process.lines);
      this.#process = this.#start();
    }
  }
}
