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
  /** How many processes paint on the device at once, each with its own `threads`; default: 1. */
  children?: number | undefined;
  /** What each of them paints at once; default: one image. */
  microBatch?: MicroBatch | undefined;
  /** Aborts the start, but nothing after it. */
  signal?: AbortSignal | undefined;
};

export type Rendered = ChildImage & {
  /** Milliseconds until a child was free. */
  waitMs: number;
  /** Its share of the device, above 0; 1 if no other image was computed at the same time (see SharedTime). */
  deviceShare: number;
  /** Set if it was rendered with less memory than usual: see less-memory.ts. */
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
   * bundle on disk was damaged or exchanged, or the device refuses its graphs now; with a RenderFault if no child could
   * be started for some minutes.
   */
  readonly unusable: AbortSignal;
  /**
   * Waits for a child, then renders. A dead child is replaced; until then, images wait for it or for another. Images
   * that were in hand when their child died continue one by one, each from its last state: the one that caused it then
   * fails alone.
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
 * @throws UserError if the bundle is damaged or the device is missing; RenderFault if the device has no memory for the bundle;
 * RendererDied if a child died while it loaded; the signal's reason
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

/** Any image that a child has in hand may have killed it. Lack of memory is left to less-memory.ts. */
const mayBeAnothers = (error: unknown): boolean =>
  (error instanceof RendererDied || error instanceof RenderFault) && !(error instanceof RendererOutOfMemory);
