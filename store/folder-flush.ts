import { syncFolder } from './file-folders.ts';

type Flush = Promise<void>;

/**
 * Makes names that were added to folders survive a power cut. Writers of one folder that wait at the same time share one
 * flush: it is by far the slowest part of a small write.
 */
export class FolderFlush {
  readonly #sync: (folder: string) => Flush;
  readonly #running = new Map<string, Flush>();
  readonly #waiting = new Map<string, Flush>();

  constructor(sync: (folder: string) => Flush = syncFolder) {
    this.#sync = sync;
  }

  /** Resolves when every name that was in the folder at the time of the call is on the disk. */
  flush(folder: string): Flush {
    // One that already runs may have looked at the folder before the caller's name was there.
    const waiting = this.#waiting.get(folder) ?? this.#after(this.#running.get(folder), folder);
    this.#waiting.set(folder, waiting);
    return waiting;
  }

  async #after(running: Flush | undefined, folder: string): Flush {
    await running?.catch(() => {});
    this.#waiting.delete(folder);
    const flush = this.#sync(folder).finally(() => this.#running.delete(folder));
    this.#running.set(folder, flush);
    return flush;
  }
}
