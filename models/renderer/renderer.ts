import { Mutex } from 'async-mutex';
import type { Thrift } from '../../domain/thrift.ts';
import { UserError } from '../../domain/user-error.ts';
import type { BundleRef, Device, PaintedImage, RenderRequest, RequestCaptions } from '../pixart/index.ts';
import { ChildKeeper, type KeeperOptions } from './child-keeper.ts';
import { type ChildRenderOptions, type RendererChild, RendererDied } from './renderer-child.ts';
import { takeTurn, untilAborted } from './waiting.ts';

export type RendererOptions = Omit<KeeperOptions, 'part'> & {
  /** Aborts the start, not what comes after it. */
  signal?: AbortSignal | undefined;
};

export type RendererRenderOptions = ChildRenderOptions & {
  /** Called once, when the device is this caller's and computing begins. */
  onBegin?: (() => void) | undefined;
};

export type Rendered = PaintedImage & {
  waitMs: number;
  /** Where less memory than usual was to be had: see thrifty.ts. */
  thrift?: Thrift;
};

/** One device that paints. Whoever renders on it takes turns, first come, first served. */
export type Renderer = {
  readonly bundle: BundleRef;
  readonly device: Device;
  /**
   * Aborted, with a UserError as its reason, when a dead child cannot be replaced because the bundle on disk was damaged
   * or exchanged, or the device does not take its graphs any more: nothing more can be rendered here.
   */
  readonly unusable: AbortSignal;
  /**
   * Waits for the device, then renders. A dead child is replaced before the next image.
   *
   * @throws UserError for a request that this bundle can never serve; RendererDied and RenderFault, after which another
   * attempt may succeed; the signal's reason.
   */
  render(request: RenderRequest, captions: RequestCaptions, options?: RendererRenderOptions): Promise<Rendered>;
  /** Ends the child. A render in hand rejects with RendererDied. */
  close(): Promise<void>;
};

/**
 * Starts a child process, which verifies the painter's part of the bundle and loads its sessions.
 *
 * @throws UserError where the bundle is damaged or the device is not there; RenderFault where it has no memory for the bundle;
 * RendererDied where the child ended while it loaded; the signal's reason.
 */
export async function startRenderer(options: RendererOptions): Promise<Renderer> {
  const keeper = new ChildKeeper({ ...options, part: 'painter' });
  const permit = new Mutex();
  const unusable = new AbortController();

  try {
    await untilAborted(keeper.child(), options.signal);
  } catch (error) {
    await keeper.close();
    throw error;
  }

  async function liveChild(): Promise<RendererChild> {
    try {
      return await keeper.child();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unusable.abort(error);
      throw new RendererDied('the renderer process ended and could not be replaced', { cause: error });
    }
  }

  async function render(request: RenderRequest, captions: RequestCaptions, options: RendererRenderOptions = {}) {
    const { onBegin, ...childOptions } = options;
    const { signal } = childOptions;
    const asked = performance.now();
    const release = await takeTurn(permit, signal);
    try {
      const child = await untilAborted(liveChild(), signal);
      const waitMs = performance.now() - asked;
      onBegin?.();
      return { ...(await child.render(request, captions, childOptions)), waitMs };
    } finally {
      release();
    }
  }

  return {
    bundle: keeper.bundle!,
    device: options.device,
    unusable: unusable.signal,
    render,
    close: () => keeper.close(),
  };
}
