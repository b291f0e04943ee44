import type { Thrift } from '../../domain/thrift.ts';
import { UserError } from '../../domain/user-error.ts';
import type { BundleRef, Device, RenderRequest, RequestCaptions } from '../pixart/index.ts';
import { ChildKeeper, type KeeperOptions } from './child-keeper.ts';
import { ChildLine } from './child-line.ts';
import { type ChildImage, type ChildRenderOptions, type RendererChild, RendererDied } from './renderer-child.ts';
import { SharedTime } from './shared-time.ts';
import { untilAborted } from './waiting.ts';

export type RendererOptions = Omit<KeeperOptions, 'part'> & {
  /** Processes that paint on the device at once, each with its `threads`; one unless given. */
  children?: number | undefined;
  /** Aborts the start, not what comes after it. */
  signal?: AbortSignal | undefined;
};

export type RendererRenderOptions = ChildRenderOptions & {
  /** Called once, when a child is this caller's and computing begins. */
  onBegin?: (() => void) | undefined;
};

export type Rendered = ChildImage & {
  /** Milliseconds until a child was free. */
  waitMs: number;
  /** How much of the device it had meanwhile, above 0: 1 where no other image was computed beside it (see SharedTime). */
  deviceShare: number;
  /** Where less memory than usual was to be had: see less-memory.ts. */
  thrift?: Thrift;
};

/** One device with some children that paint on it. Whoever renders takes the first that is free, first come, first served. */
export type Renderer = {
  readonly bundle: BundleRef;
  readonly device: Device;
  /** How many images it computes at once. */
  readonly children: number;
  /**
   * Aborted, with a UserError as its reason, when a dead child cannot be replaced because the bundle on disk was damaged
   * or exchanged, or the device does not take its graphs any more: nothing more can be rendered here.
   */
  readonly unusable: AbortSignal;
  /**
   * Waits for a child, then renders. A dead one is replaced before its next image; where that fails, the image waits for another
   * one that lives.
   *
   * @throws UserError for a request that this bundle can never serve; RendererDied and RenderFault, after which another
   * attempt may succeed; the signal's reason.
   */
  render(request: RenderRequest, captions: RequestCaptions, options?: RendererRenderOptions): Promise<Rendered>;
  /** Ends the children. Renders in hand reject with RendererDied. */
  close(): Promise<void>;
};

/**
 * Starts the child processes, which verify the painter's part of the bundle and load its sessions.
 *
 * @throws UserError where the bundle is damaged or the device is not there; RenderFault where it has no memory for the bundle;
 * RendererDied where a child ended while it loaded; the signal's reason.
 */
export async function startRenderer({ children = 1, signal, ...options }: RendererOptions): Promise<Renderer> {
  const keepers = Array.from({ length: children }, () => new ChildKeeper({ ...options, part: 'painter' }));
  const line = new ChildLine(keepers, ({ isReady }) => isReady);
  const time = new SharedTime();
  const unusable = new AbortController();
  const close = async (): Promise<void> => void (await Promise.all(keepers.map((keeper) => keeper.close())));

  try {
    await untilAborted(Promise.all(keepers.map((keeper) => keeper.child())), signal);
    checkSame(keepers.map(({ bundle }) => bundle!));
  } catch (error) {
    await close();
    throw error;
  }

  async function liveChild(keeper: ChildKeeper): Promise<RendererChild> {
    try {
      return await keeper.child();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unusable.abort(error);
      throw new RendererDied('the renderer process ended and could not be replaced', { cause: error });
    }
  }

  /** Tries on while others work, so that a child which cannot be had for the time being costs no attempts. */
  async function revive(keeper: ChildKeeper): Promise<void> {
    while (!keeper.isReady && !keeper.isClosed && !unusable.signal.aborted) await liveChild(keeper).catch(() => {});
    line.give(keeper);
  }

  /** The first child that is free, and the function that gives it back. */
  async function takeChild(signal: AbortSignal | undefined): Promise<{ child: RendererChild; release: () => void }> {
    for (let place: 'first' | 'last' = 'last'; ; place = 'first') {
      const keeper = await line.take(signal, place);
      try {
        return { child: await untilAborted(liveChild(keeper), signal), release: () => line.give(keeper) };
      } catch (error) {
        const isAlone = !keepers.some(({ isReady }) => isReady);
        if (isAlone || signal?.aborted || unusable.signal.aborted) {
          line.give(keeper);
          throw error;
        }
        void revive(keeper);
      }
    }
  }

  async function render(
    request: RenderRequest,
    captions: RequestCaptions,
    options: RendererRenderOptions = {},
  ): Promise<Rendered> {
    const { onBegin, ...childOptions } = options;
    const asked = performance.now();
    const { child, release } = await takeChild(childOptions.signal);
    const waitMs = performance.now() - asked;
    const end = time.begin();
    let deviceShare = 1;
    let image: ChildImage;
    try {
      onBegin?.();
      image = await child.render(request, captions, childOptions);
    } finally {
      deviceShare = end();
      release();
    }
    return { ...image, waitMs, deviceShare };
  }

  return {
    bundle: keepers[0]!.bundle!,
    device: options.device,
    children,
    unusable: unusable.signal,
    render,
    close,
  };
}

/** Each child loads it by itself. */
function checkSame(bundles: readonly BundleRef[]): void {
  if (new Set(bundles.map(({ digest }) => digest)).size === 1) return;
  throw new UserError(`bundle ${bundles[0]!.name} changed while it was loaded. Start again to serve the new one.`);
}
