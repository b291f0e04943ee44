import type { Thrift } from '../../domain/thrift.ts';
import type { BundleRef, Device, RenderRequest, RequestCaptions } from '../pixart/index.ts';
import type { KeeperOptions } from './child-keeper.ts';
import { ChildPool } from './child-pool.ts';
import { Crowding } from './crowding.ts';
import { oneImage, type RendererRenderOptions } from './one-image.ts';
import { type MicroBatch, placesOf } from './picture-facts.ts';
import type { ChildImage } from './renderer-child.ts';
import { RendererDied, RendererOutOfMemory, RenderFault } from './renderer-faults.ts';
import { SharedTime } from './shared-time.ts';

export type RendererOptions = Omit<KeeperOptions, 'part' | 'microBatch'> & {
  /** Processes that paint on the device at once, each with its `threads`; one unless given. */
  children?: number | undefined;
  /** What each of them paints at once; one image unless given. */
  microBatch?: MicroBatch | undefined;
  /** Aborts the start, not what comes after it. */
  signal?: AbortSignal | undefined;
};

export type Rendered = ChildImage & {
  /** Milliseconds until a child was free. */
  waitMs: number;
  /** How much of the device it had meanwhile, above 0: 1 where no other image was computed beside it (see SharedTime). */
  deviceShare: number;
  /** Where less memory than usual was to be had: see less-memory.ts. */
  thrift?: Thrift;
};

/** One device with some children that paint on it. A render takes a place in the first child that has one: see ChildPool. */
export type Renderer = {
  readonly bundle: BundleRef;
  readonly device: Device;
  readonly children: number;
  /** How many images each child computes at once. */
  readonly microBatch: number;
  /**
   * Aborted when nothing more can be rendered here: with a UserError if a dead child cannot be replaced because the
   * bundle on disk was damaged or exchanged, or the device does not take its graphs any more; with a RenderFault if no
   * child could be started for some minutes.
   */
  readonly unusable: AbortSignal;
  /**
   * Waits for a child, then renders. A dead one is replaced; until it is, images wait for it or for another one. One
   * that was in hand with others when their child ended goes on by itself, from the last state that it told: whichever
   * of them was the reason then fails alone.
   *
   * @throws UserError for a request that this bundle can never serve; RendererDied and RenderFault, after which another
   * attempt may succeed; RendererUnusable, after which it may succeed elsewhere; the signal's reason.
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
export async function startRenderer({
  children = 1,
  microBatch,
  signal,
  ...options
}: RendererOptions): Promise<Renderer> {
  const places = microBatch?.images ?? 1;
  const pool = new ChildPool({ ...options, part: 'painter', children, microBatch: places });
  const crowding = new Crowding();
  const time = new SharedTime();
  const bundle = await pool.start(signal).catch(async (error: unknown) => {
    await pool.close();
    throw error;
  });

  async function render(
    request: RenderRequest,
    captions: RequestCaptions,
    options: RendererRenderOptions = {},
  ): Promise<Rendered> {
    const { signal, thrift } = options;
    const attempt = oneImage(options);
    const bin = binOf(request);
    const usual = microBatch === undefined ? 1 : placesOf(request, thrift, microBatch);
    let waitMs = 0;
    for (let isAlone = options.isAlone; ; isAlone = true) {
      const { onBegin, ...childOptions } = attempt();
      const asked = performance.now();
      const { child, giveBack } = await pool.take({ bin, places: crowding.places(bin, usual), isAlone }, signal);
      waitMs += performance.now() - asked;
      const end = time.begin();
      let deviceShare = 1;
      let image: ChildImage;
      try {
        onBegin?.();
        image = await child.render(request, captions, childOptions);
      } catch (error) {
        if (error instanceof RendererOutOfMemory) crowding.ranOut(bin, child);
        if (signal?.aborted || !child.endedWithSeveral || !mayBeAnothers(error)) throw error;
        continue;
      } finally {
        deviceShare = end();
        giveBack();
      }
      return { ...image, waitMs, deviceShare };
    }
  }

  return {
    bundle,
    device: options.device,
    children,
    microBatch: places,
    unusable: pool.unusable,
    render,
    close: () => pool.close(),
  };
}

const binOf = ({ size, bin }: RenderRequest): string => `${size} ${bin.width}×${bin.height}`;

/**
 * What ends a child may be the fault of any image that it has in hand; memory that it did not find is seen to in
 * less-memory.ts.
 */
const mayBeAnothers = (error: unknown): boolean =>
  (error instanceof RendererDied || error instanceof RenderFault) && !(error instanceof RendererOutOfMemory);
