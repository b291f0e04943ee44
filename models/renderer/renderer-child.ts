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

/** Why a child was killed whose image took longer than its limit. */
const TOO_LONG = 'it did not finish an image in time';

/** Far longer than the largest encoder needs for the longest text: after this time the device hangs. */
const LONGEST_ENCODE_MS = 600_000;

export type ChildOptions = {
  part: ChildPart;
  bundleFolder: string;
  device: Device;
  threads?: number | undefined;
  /** How many images may share a call; default: 1. */
  microBatch?: number | undefined;
};

export type ChildRenderOptions = {
  signal?: AbortSignal | undefined;
  onStep?: ((step: number, steps: number) => void) | undefined;
  /** The state in which an earlier attempt stopped: see RenderOptions. */
  resume?: SamplerState | undefined;
  /** How long it may take; a child that needs longer hangs, and is killed. */
  limitMs?: number | undefined;
  /** With less memory than usual: see less-memory.ts. */
  thrift?: Thrift | undefined;
  /**
   * Reports states at most this often while the image is denoised, and one more when the render is aborted between two
   * steps, before it rejects.
   */
  states?: { everyMs: number; onState: (state: SamplerState) => void } | undefined;
};

export type ChildImage = PaintedImage & {
  /** Processor time of the child meanwhile, over all its threads, other images included. */
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

  /** Whether it accepts another image. A child that has not answered a cancellation yet may hang. */
  get takesMore(): boolean {
    return this.alive && this.#wanted.areAll;
  }

  /** Resolves when it can answer no more. */
  get ended(): Promise<void> {
    return this.#channel.ended;
  }

  /** Whether it died, or was killed, with several images in hand: any of them may have been the cause. */
  get endedWithSeveral(): boolean {
    return this.#channel.openAtEnd > 1;
  }

  /** Resolves when the process has exited. */
  get gone(): Promise<unknown> {
    return this.#channel.gone;
  }

  /** Kills the process at once: it holds nothing that has to be saved. */
  kill(because: string): void {
    this.#channel.kill(because);
  }

  /**
   * Verifies one part of the bundle and loads its graphs.
   *
   * @throws UserError if the bundle is damaged or the device is missing; RenderFault if the device has no memory for the
   * bundle now; RendererDied
   */
  async load({ part, bundleFolder, device, threads, microBatch }: ChildOptions): Promise<BundleRef> {
    const call = this.#channel.open();
    try {
      call.send({ kind: 'load', part, bundleFolder, device, threads, microBatch });
      const answer = await call.receive();
      if (answer.kind === 'ready') return answer.bundle;
      throw failure(answer);
    } finally {
      call.close();
    }
  }

  /**
   * Encodes one text, which cannot be aborted: it takes about as long as a step. A child that takes too long, or has a
   * fault, is killed.
   *
   * @throws UserError if the graphs refuse the text's tokens; RenderFault; RendererDied
   */
  async encode(ids: number[]): Promise<Caption> {
    const deadline = setTimeout(() => this.kill('it did not encode a text in time'), LONGEST_ENCODE_MS);
    const call = this.#channel.open();
    try {
      call.send({ kind: 'encode', ids });
      const answer = await call.receive();
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
   * Renders one image from its captions. When the signal is aborted, the child stops between two steps. A child that
   * does not stop may be decoding another image, so it is killed only once all its images are cancelled. A child is also
   * killed when an image takes longer than its limit, or has a fault: the device's context may be broken, or its memory
   * lost.
   *
   * @throws UserError; RenderFault, even if the fault came while the child was stopping; RendererDied, or its kind
   * RenderTooLong; the signal's reason
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
      call.send({ kind: 'cancel' });
      wanted.cancel();
    };
    signal?.addEventListener('abort', cancel, { once: true });
    const limit = limitMs === undefined ? undefined : setTimeout(() => this.kill(TOO_LONG), limitMs);
    try {
      call.send({ kind: 'render', request, captions, resume, stateEveryMs: states?.everyMs, thrift });
      while (true) {
        const answer = await call.receive();
        if (answer.kind === 'done') return { ...answer.image, processorMs: answer.processorMs };
        if (answer.kind === 'step') {
          if (answer.step === answer.steps) stage = 'decode';
          onStep?.(answer.step, answer.steps);
        } else if (answer.kind === 'state') states?.onState(answer.state);
        else throw failure(answer);
      }
    } catch (error) {
      // First, since a cancellation must not hide that the child is broken.
      if (error instanceof RenderFault) {
        this.kill('its render failed');
        throw error;
      }
      if (signal?.aborted) throw signal.reason;
      if (this.#ranOutOfMemory(error, killsBefore)) throw new RendererOutOfMemory(error.message, stage);
      throw this.#explained(error, request, limitMs);
    } finally {
      call.close();
      clearTimeout(limit);
      signal?.removeEventListener('abort', cancel);
      wanted.leave();
    }
  }

  /** The kernel counts the processes that it kills for lack of memory. If it was another one, this costs a rung in vain. */
  #ranOutOfMemory(error: unknown, killsBefore: number): error is RendererDied {
    return error instanceof RendererDied && this.#channel.killedBecause === undefined && kernelKills() > killsBefore;
  }

  /** Adds the likely reason: a system that runs out of memory kills the largest process without saying so. */
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
