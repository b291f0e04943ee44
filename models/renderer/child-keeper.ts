import { UserError } from '../../domain/user-error.ts';
import type { BundleRef } from '../pixart/index.ts';
import { type ChildOptions, RendererChild } from './renderer-child.ts';
import { RendererDied } from './renderer-faults.ts';
import { pause } from './waiting.ts';

const LONGEST_PAUSE_MS = 30_000;

/** A child whose sessions are loaded, and the process id of the dead one that it replaces, if it does. */
export type StartedChild = { pid: number; loadMs: number; replaces: number | null };

export type KeeperOptions = ChildOptions & {
  /** Called for the first child and for each that replaces a dead one. */
  onStart?: ((child: StartedChild) => void) | undefined;
  /** Called with the reason when a child could not be started, before it is tried again. */
  onFailedStart?: ((error: unknown) => void) | undefined;
};

/** Keeps one child ready, and replaces it when it dies. All of them load the bundle that the first one loaded. */
export class ChildKeeper {
  readonly #options: KeeperOptions;
  readonly #closing = new AbortController();
  #child: RendererChild | undefined;
  #starting: Promise<RendererChild> | undefined;
  #bundle: BundleRef | undefined;
  /** The process id of the last child that was loaded. */
  #pid: number | null = null;
  #failedStarts = 0;

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  /** The bundle of the first child; undefined before that one is loaded. */
  get bundle(): BundleRef | undefined {
    return this.#bundle;
  }

  /** The child that can be given an image at once. */
  get ready(): RendererChild | undefined {
    return this.#starting === undefined && this.#child?.takesMore ? this.#child : undefined;
  }

  /** How many starts have failed in a row. */
  get failedStarts(): number {
    return this.#failedStarts;
  }

  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /**
   * The live child, or the next one once it is loaded. Concurrent callers share one start. After a failed start it waits
   * before the next: 1, 2, 4 … 30 s.
   *
   * @throws UserError if the bundle is damaged or is not the one that the first child loaded, or the device refuses it;
   * RenderFault if the device has no memory for it now; RendererDied
   */
  async child(): Promise<RendererChild> {
    // This comes first: a child that is still loading is alive too.
    if (this.#starting) return this.#starting;
    if (this.#child?.alive) return this.#child;
    this.#starting = this.#start().finally(() => {
      this.#starting = undefined;
    });
    return this.#starting;
  }

  /** Ends the child, if there is one. The next caller gets a new one. */
  async rest(): Promise<void> {
    this.#child?.kill('it had nothing to do');
    await this.#child?.gone;
  }

  /** Ends the child for good. */
  async close(): Promise<void> {
    this.#closing.abort(new RendererDied('the renderer was closed'));
    this.#child?.kill('the renderer was closed');
    await this.#child?.gone;
  }

  async #start(): Promise<RendererChild> {
    await this.#pause();
    const child = new RendererChild(this.#options.part);
    this.#child = child;
    const started = performance.now();
    try {
      this.#bundle = this.#sameBundle(await child.load(this.#options));
    } catch (error) {
      this.#failedStarts += 1;
      child.kill('it did not load its bundle');
      if (!this.isClosed) this.#options.onFailedStart?.(error);
      throw error;
    }
    this.#failedStarts = 0;
    this.#options.onStart?.({ pid: child.pid, loadMs: performance.now() - started, replaces: this.#pid });
    this.#pid = child.pid;
    return child;
  }

  async #pause(): Promise<void> {
    this.#closing.signal.throwIfAborted();
    if (this.#failedStarts === 0) return;
    await pause(Math.min(1_000 * 2 ** (this.#failedStarts - 1), LONGEST_PAUSE_MS), this.#closing.signal);
  }

  #sameBundle(found: BundleRef): BundleRef {
    const expected = this.#bundle ?? found;
    if (found.digest === expected.digest) return found;
    throw new UserError(
      `the bundle in ${this.#options.bundleFolder} changed while it was in use: expected digest ${expected.digest}, ` +
        `found ${found.digest}. Restart the worker to serve the new one.`,
    );
  }
}
