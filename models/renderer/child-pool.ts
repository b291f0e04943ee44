import { UserError } from '../../domain/user-error.ts';
import type { BundleRef } from '../pixart/index.ts';
import { ChildKeeper, type KeeperOptions } from './child-keeper.ts';
import { ChildLine, type Need } from './child-line.ts';
import type { RendererChild } from './renderer-child.ts';
import { RendererDied, RendererUnusable, RenderFault } from './renderer-faults.ts';
import { untilAborted } from './waiting.ts';

/** With the pauses between them, images wait two and a half minutes before the pool gives up. */
const MOST_FAILED_STARTS = 10;

type PoolOptions = Omit<KeeperOptions, 'microBatch'> & {
  children: number;
  /** Images that each child computes at once. */
  microBatch: number;
};

/** Several children, each replaced when it dies. Images wait for one that is ready, so a failed start costs no attempt. */
export class ChildPool {
  readonly #keepers: ChildKeeper[];
  readonly #line: ChildLine<ChildKeeper>;
  readonly #unusable = new AbortController();
  /** Aborted when nobody gets a child any more; its reason says why. */
  readonly #over = new AbortController();

  constructor({ children, ...options }: PoolOptions) {
    this.#keepers = Array.from({ length: children }, () => new ChildKeeper(options));
    this.#line = new ChildLine(this.#keepers, {
      places: options.microBatch,
      isUsable: ({ ready }) => ready !== undefined,
    });
  }

  /** Aborted when no child can be started any more: see Renderer. */
  get unusable(): AbortSignal {
    return this.#unusable.signal;
  }

  /** Starts all children. @throws as ChildKeeper.child(), for the first that fails; the signal's reason */
  async start(signal: AbortSignal | undefined): Promise<BundleRef> {
    await untilAborted(Promise.all(this.#keepers.map((keeper) => keeper.child())), signal);
    const [bundle, ...others] = this.#keepers.map(({ bundle }) => bundle!);
    checkSame(bundle!, others);
    for (const keeper of this.#keepers) void this.#keepReady(keeper);
    return bundle!;
  }

  /**
   * Waits for a share of a child.
   *
   * @throws RendererUnusable; RendererDied once the pool is closed; the signal's reason
   */
  async take(need: Need, signal: AbortSignal | undefined): Promise<{ child: RendererChild; giveBack: () => void }> {
    const either = signal === undefined ? this.#over.signal : AbortSignal.any([signal, this.#over.signal]);
    for (;;) {
      const { child: keeper, giveBack } = await this.#line.take(need, either);
      const child = keeper.ready;
      if (child !== undefined) return { child, giveBack };
      // It ended at this very moment.
      giveBack();
    }
  }

  async close(): Promise<void> {
    this.#over.abort(new RendererDied('the renderer was closed'));
    await Promise.all(this.#keepers.map((keeper) => keeper.close()));
  }

  async #keepReady(keeper: ChildKeeper): Promise<void> {
    while (!this.#over.signal.aborted) {
      try {
        const child = await keeper.child();
        this.#line.serve();
        await child.ended;
      } catch (error) {
        const reason = this.#whyUnusable(error);
        if (reason !== null) this.#giveUp(reason);
      }
    }
  }

  /** Why no child will start again: the error would repeat, or every child has failed to start too often. */
  #whyUnusable(error: unknown): UserError | RenderFault | null {
    if (error instanceof UserError) return error;
    if (this.#keepers.some(({ failedStarts }) => failedStarts < MOST_FAILED_STARTS)) return null;
    const last = error instanceof Error ? error.message : String(error);
    // Not a UserError: a supervisor should restart the worker, since the device may be back by then.
    return new RenderFault(
      `no renderer process started in ${MOST_FAILED_STARTS} attempts; the last failure: ${last.replace(/\.$/, '')}. ` +
        'Check the device and its free memory, then start the worker again.',
    );
  }

  #giveUp(reason: UserError | RenderFault): void {
    // First what stops the worker, so that the images in hand are handed back rather than failed.
    this.#unusable.abort(reason);
    this.#over.abort(new RendererUnusable(reason));
  }
}

/** Each child loads the bundle by itself, so it may have been exchanged in between. */
function checkSame(bundle: BundleRef, others: readonly BundleRef[]): void {
  if (others.every(({ digest }) => digest === bundle.digest)) return;
  throw new UserError(`bundle ${bundle.name} changed while it was being loaded. Restart to serve the new one.`);
}
