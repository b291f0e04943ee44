import { NoOrchestrator, ServerUnreachable } from '../client/index.ts';
import { note } from './display/output.ts';
import { ServerUnusable } from './exit-codes.ts';

/** Enough for a restart or an upgrade of the server. Longer, and a script that waits should hear of it. */
const UNREACHABLE_MS = 10 * 60_000;

/** What a watcher puts up with while nobody answers for a batch, and what it says about it, once for each reason. */
export class Patience {
  readonly #batch: string;
  #told: string | undefined;
  #awaySince: number | undefined;

  constructor(batch: string) {
    this.#batch = batch;
  }

  /** An answer came. */
  renew(): void {
    this.#told = undefined;
    this.#awaySince = undefined;
  }

  /**
   * Returns where it is worth asking again.
   *
   * @throws ServerUnusable where the server has been away for too long, otherwise the error itself
   */
  bear(error: unknown): void {
    if (error instanceof ServerUnreachable) this.#bearAbsence(error);
    else if (error instanceof NoOrchestrator) this.#bearSilence();
    else throw error;
  }

  #bearAbsence({ message }: ServerUnreachable): void {
    this.#awaySince ??= performance.now();
    if (performance.now() - this.#awaySince > UNREACHABLE_MS) {
      const minutes = UNREACHABLE_MS / 60_000;
      throw new ServerUnusable(
        `${message}, for ${minutes} minutes now. Nothing of batch ${this.#batch} is lost; when the server is back, go on with:\n` +
          `  npx pixart-batch watch ${this.#batch}`,
      );
    }
    this.#tellOnce(`${message} at the moment; batch ${this.#batch} waits for it, and so do we …`);
  }

  #bearSilence(): void {
    this.#awaySince = undefined;
    this.#tellOnce(`no orchestrator answers for batch ${this.#batch} yet; it waits for one, and so do we …`);
  }

  #tellOnce(text: string): void {
    if (this.#told !== text) note(text);
    this.#told = text;
  }
}
