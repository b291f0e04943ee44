import { syncFolder } from './file-folders.ts';

type Flush = Promise<void>;

/**
 * Flushes folders, so that names added to them survive a power cut. Writers that wait for the same folder at the same
 * time share one flush, by far the slowest part of a small write.
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
    // A flush that is already running may have read the folder before the caller's name was there.
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
