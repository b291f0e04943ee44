import type { Thrift } from '../../domain/thrift.ts';
import type {
  BundleRef,
  Caption,
  Device,
  PaintedImage,
  RenderRequest,
  RenderStage,
  RequestCaptions,
  SamplerState,
} from '../pixart/index.ts';
import { ChildChannel } from './child-channel.ts';
import { kernelKills } from './kernel-kills.ts';
import type { ChildAnswer, ChildPart } from './protocol.ts';
import { faultOf, RendererDied, RendererOutOfMemory, RenderFault, RenderTooLong } from './renderer-faults.ts';
import { WantedImages } from './wanted-images.ts';

/** Cancelled renders may go on for this long beyond the child's longest silence so far, which covers one step. */
const CANCEL_GRACE_MS = 3_000;

/** Why a child was ended that has an image for longer than its limit. */
const TOO_LONG = 'it did not finish an image in time';

/** Far longer than the longest text takes the largest encoder: then the device hangs. */
const LONGEST_ENCODE_MS = 600_000;

export type ChildOptions = {
  part: ChildPart;
  bundleFolder: string;
  device: Device;
  threads?: number | undefined;
  /** Images that share a call where they are painted at once; 1 unless given. */
  microBatch?: number | undefined;
};

export type ChildRenderOptions = {
  signal?: AbortSignal | undefined;
  onStep?: ((step: number, steps: number) => void) | undefined;
  /** Where an earlier attempt was left: see RenderOptions. */
  resume?: SamplerState | undefined;
  /** How long it may take; a child that needs longer hangs, and is ended. */
  limitMs?: number | undefined;
  /** With less memory than usual: see less-memory.ts. */
  thrift?: Thrift | undefined;
  /**
   * Given, a state comes at most this often while the image is denoised, and one more, before the render rejects, when it is
   * aborted between two steps.
   */
  states?: { everyMs: number; onState: (state: SamplerState) => void } | undefined;
};

export type ChildImage = PaintedImage & {
  /** What the child's processor time grew by, over all threads, and for whatever else it had in hand. */
  processorMs: number;
};

/** The parent's side of one child process. May render several images at once. */
export class RendererChild {
  readonly #channel: ChildChannel;
  readonly #wanted = new WantedImages({
    graceMs: () => CANCEL_GRACE_MS + this.#channel.longestSilenceMs,
    end: () => this.kill('it did not stop when its images were cancelled'),
  });

  constructor(part: ChildPart) {
    this.#channel = new ChildChannel(part);
  }

  get pid(): number {
    return this.#channel.pid;
  }

  get alive(): boolean {
    return this.#channel.alive;
  }

  /** Whether it can be given another image: one that has not answered a cancellation yet may hang. */
  get takesMore(): boolean {
    return this.alive && this.#wanted.areAll;
  }

  /** Resolves when it answers nothing any more. */
  get ended(): Promise<void> {
    return this.#channel.ended;
  }

  /** Whether it ended, or had to be ended, with several images in hand: any of them may have been the reason. */
  get endedWithSeveral(): boolean {
    return this.#channel.openAtEnd > 1;
  }

  /** Resolves when the process is no more. */
  get gone(): Promise<unknown> {
    return this.#channel.gone;
  }

  /** Ends the process at once: it holds nothing that has to be kept. */
  kill(because: string): void {
    this.#channel.kill(because);
  }

  /**
   * Verifies one part of the bundle and loads its graphs.
   *
   * @throws UserError where the bundle is damaged or the device is not there; RenderFault where it has no memory for the
   * bundle just now; RendererDied.
   */
  async load({ part, bundleFolder, device, threads, microBatch }: ChildOptions): Promise<BundleRef> {
    const call = this.#channel.open();
    try {
      call.tell({ kind: 'load', part, bundleFolder, device, threads, microBatch });
      const answer = await call.hear();
      if (answer.kind === 'ready') return answer.bundle;
      throw failure(answer);
    } finally {
      call.close();
    }
  }

  /**
   * Encodes one text, to its end: it takes a step's time. A child that takes too long is killed, and so is one that had a fault.
   *
   * @throws UserError where the graphs do not take the text's tokens; RenderFault; RendererDied.
   */
  async encode(ids: number[]): Promise<Caption> {
    const deadline = setTimeout(() => this.kill('it did not encode a text in time'), LONGEST_ENCODE_MS);
    const call = this.#channel.open();
    try {
      call.tell({ kind: 'encode', ids });
      const answer = await call.hear();
      if (answer.kind === 'encoded') return answer.caption;
      const failed = failure(answer);
      if (failed instanceof RenderFault) this.kill('a text could not be encoded');
      throw failed;
    } finally {
      call.close();
      clearTimeout(deadline);
    }
  }

  /**
   * Renders one image from its captions. When the signal is aborted the child stops between two steps. One that does
   * not is killed once nobody wants any of its images: until then it may be decoding one of the others. A child is
   * killed too when an image takes longer than its limit, or had a fault: a device context may be broken, or memory
   * taken for good.
   *
   * @throws UserError; RenderFault, also where the fault came while the child was stopping; RendererDied, and
   * RenderTooLong of it; the signal's reason.
   */
  async render(
    request: RenderRequest,
    captions: RequestCaptions,
    options: ChildRenderOptions = {},
  ): Promise<ChildImage> {
    const { signal, onStep, resume, states, thrift, limitMs } = options;
    const killsBefore = kernelKills();
    let stage: RenderStage = 'denoise';
    signal?.throwIfAborted();
    const call = this.#channel.open();
    const wanted = this.#wanted.enter();
    const cancel = (): void => {
      call.tell({ kind: 'cancel' });
      wanted.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const limit = limitMs === undefined ? undefined : setTimeout(() => this.kill(TOO_LONG), limitMs);
    try {
      call.tell({ kind: 'render', request, captions, resume, stateEveryMs: states?.everyMs, thrift });
      while (true) {
        const answer = await call.hear();
        if (answer.kind === 'done') return { ...answer.image, processorMs: answer.processorMs };
        if (answer.kind === 'step') {
          if (answer.step === answer.steps) stage = 'decode';
          onStep?.(answer.step, answer.steps);
        } else if (answer.kind === 'state') states?.onState(answer.state);
        else throw failure(answer);
      }
    } catch (error) {
      // A cancellation must not hide that the child is broken.
      if (!(error instanceof RenderFault)) {
        if (signal?.aborted) throw signal.reason;
        throw this.#ranOutOfMemory(error, killsBefore)
          ? new RendererOutOfMemory(error.message, stage)
          : this.#explained(error, request, limitMs);
      }
      this.kill('its render failed');
      throw error;
    } finally {
      call.close();
      clearTimeout(limit);
      signal?.removeEventListener('abort', cancel);
      wanted.leave();
    }
  }

  /** The kernel counts what it ends for want of memory; that another process was meant at that moment costs a rung. */
  #ranOutOfMemory(error: unknown, killsBefore: number): error is RendererDied {
    return error instanceof RendererDied && this.#channel.killedBecause === undefined && kernelKills() > killsBefore;
  }

  /** A system that runs out of memory ends the process that has the most, without a word. */
  #explained(error: unknown, { decode }: RenderRequest, limitMs: number | undefined): unknown {
    const because = this.#channel.killedBecause;
    if (because === TOO_LONG && limitMs !== undefined) return new RenderTooLong(limitMs);
    if (!(error instanceof RendererDied) || decode === undefined || because !== undefined) return error;
    return new RendererDied(
      `${error.message}; its image was to be decoded in one piece, which may need more memory than there is. ` +
        'If it happens again, use --decode tiled (docs/model.md, "Up to 4K").',
    );
  }
}

function failure(answer: ChildAnswer): Error {
  if (answer.kind !== 'failed') return new RenderFault(`the renderer answered ${answer.kind} out of turn`);
  return faultOf(answer.failure);
}
