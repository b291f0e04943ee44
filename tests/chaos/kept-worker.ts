import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerProcess } from '../e2e/worker-process.ts';

/** One that cannot reach its server ends at once, and would otherwise be started without a pause. */
const RESTART_PAUSE_MS = 200;

/** A worker process that is started again whenever it ends, as a supervisor would. */
export class KeptWorker {
  readonly #options: string[];
  readonly #ready: string;
  readonly #kept: Promise<void>;
  #process: WorkerProcess;
  #killedChild = 0;
  #stopping = false;

  /** @param ready what the process logs when it can work */
  constructor(options: string[], ready: string) {
    this.#options = options;
    this.#ready = ready;
    this.#process = new WorkerProcess(options);
    this.#kept = this.#keep();
  }

  /** Whether it can work now, for all that it has logged. */
  get works(): boolean {
    return !this.#process.hasEnded && this.#process.lines.some(({ msg }) => msg === this.#ready);
  }

  /** Whether it works, with a renderer child that was not killed yet. */
  get hasChild(): boolean {
    return this.works && this.#process.rendererPid !== this.#killedChild;
  }

  async kill(): Promise<void> {
    await this.#process.kill('SIGKILL');
  }

  killChild(): void {
    this.#killedChild = this.#process.rendererPid;
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
      this.#process = new WorkerProcess(this.#options);
    }
  }
}
