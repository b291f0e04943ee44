import { type ChildProcess, fork } from 'node:child_process';
import { on } from 'node:events';
import { fileURLToPath } from 'node:url';
import { childEnvironment } from '../../domain/child-environment.mjs';
import type { Thrift } from '../../domain/thrift.ts';
import { UserError } from '../../domain/user-error.ts';
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
import { kernelKills } from './kernel-kills.ts';
import type { ChildFailure, ChildPart, FromChild, ToChild } from './protocol.ts';

/** A cancelled render may go on for this long beyond the longest wait for a message so far, which covers one step. */
const CANCEL_GRACE_MS = 3_000;

/** Far longer than the longest text takes the largest encoder: then the device hangs. */
const LONGEST_ENCODE_MS = 600_000;

/** From the end of a child's channel to its exit. */
const EXIT_GRACE_MS = 1_000;

/** The child process ended, or had to be ended, before it answered. Another attempt gets a new child. */
export class RendererDied extends Error {
  override readonly name = 'RendererDied';
}

/** Rendering failed in the child for a reason that is not the request's, such as memory that could not be had. */
export class RenderFault extends Error {
  override readonly name: string = 'RenderFault';
}

/** A picture found no memory at some stage: a rung lower may have room (see less-memory.ts). The child is gone. */
export class RendererOutOfMemory extends RenderFault {
  readonly stage: RenderStage;

  constructor(message: string, stage: RenderStage) {
    super(message);
    this.stage = stage;
  }
}

/** This program is wrong, and would be again with another child. */
export class RendererBug extends RenderFault {}

export type ChildOptions = { part: ChildPart; bundleFolder: string; device: Device; threads?: number | undefined };

export type ChildRenderOptions = {
  signal?: AbortSignal | undefined;
  onStep?: ((step: number, steps: number) => void) | undefined;
  /** Where an earlier attempt was left: see RenderOptions. */
  resume?: SamplerState | undefined;
  /** With less memory than usual: see less-memory.ts. */
  thrift?: Thrift | undefined;
  /**
   * Given, a state comes at most this often while the image is denoised, and one more, before the render rejects, when it is
   * aborted between two steps.
   */
  states?: { everyMs: number; onState: (state: SamplerState) => void } | undefined;
};

export type ChildImage = PaintedImage & {
  /** What the child's processor time grew by, over all threads. */
  processorMs: number;
};

/** The parent's side of one child process, from its start to its death. Serves one call at a time. */
export class RendererChild {
  readonly #process: ChildProcess;
  readonly #messages: AsyncIterator<[FromChild]>;
  readonly #exit: Promise<string>;
  #lastHeard = performance.now();
  #longestWaitMs = 0;
  #killedBecause: string | undefined;

  /** @param part for whoever lists processes; what the child serves it is told by `load` */
  constructor(part: ChildPart) {
    this.#process = fork(fileURLToPath(new URL('./child.mjs', import.meta.url)), [part], {
      // What this process was started with is not meant for the child.
      execArgv: [],
      env: childEnvironment('renderer'),
      // Pixels travel as bytes, not as JSON.
      serialization: 'advanced',
      // The parent's standard output may be read by a machine.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    this.#messages = on(this.#process, 'message', { close: ['disconnect'] }) as AsyncIterator<[FromChild]>;
    this.#exit = new Promise((resolve) => {
      this.#process.once('exit', (code, signal) => resolve(signal ? `by ${signal}` : `with exit code ${code}`));
      this.#process.once('error', ({ message }) => resolve(`before it began: ${message}`));
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get alive(): boolean {
    return this.#process.connected && this.#killedBecause === undefined;
  }

  /**
   * Verifies one part of the bundle and loads its graphs.
   *
   * @throws UserError where the bundle is damaged or the device is not there; RenderFault where it has no memory for the
   * bundle just now; RendererDied.
   */
  async load({ part, bundleFolder, device, threads }: ChildOptions): Promise<BundleRef> {
    this.#tell({ kind: 'load', part, bundleFolder, device, threads });
    const message = await this.#hear();
    if (message.kind === 'ready') return message.bundle;
    throw this.#failure(message);
  }

  /**
   * Encodes one text, to its end: it takes a step's time. A child that takes for ever is killed, and so is one that had a fault.
   *
   * @throws UserError where the graphs do not take the text's tokens; RenderFault; RendererDied.
   */
  async encode(ids: number[]): Promise<Caption> {
    const deadline = setTimeout(() => this.kill('it did not encode a text in time'), LONGEST_ENCODE_MS);
    try {
      this.#tell({ kind: 'encode', ids });
      const message = await this.#hear();
      if (message.kind === 'encoded') return message.caption;
      const failure = this.#failure(message);
      if (failure instanceof RenderFault) this.kill('a text could not be encoded');
      throw failure;
    } finally {
      clearTimeout(deadline);
    }
  }

  /**
   * Renders one image from its captions. When the signal is aborted the child stops between two steps; one that does not is killed, and so is one that
   * had a fault: a device context may be broken, or memory taken for good.
   *
   * @throws UserError; RenderFault, also where the fault came while the child was stopping; RendererDied; the signal's reason.
   */
  async render(
    request: RenderRequest,
    captions: RequestCaptions,
    options: ChildRenderOptions = {},
  ): Promise<ChildImage> {
    const { signal, onStep, resume, states, thrift } = options;
    const killsBefore = kernelKills();
    let stage: RenderStage = 'denoise';
    signal?.throwIfAborted();
    let deadline: NodeJS.Timeout | undefined;
    const cancel = (): void => {
      this.#tell({ kind: 'cancel' });
      deadline = setTimeout(
        () => this.kill('it did not stop when its image was cancelled'),
        CANCEL_GRACE_MS + this.#longestWaitMs,
      );
    };
    signal?.addEventListener('abort', cancel, { once: true });
    try {
      this.#tell({ kind: 'render', request, captions, resume, stateEveryMs: states?.everyMs, thrift });
      while (true) {
        const message = await this.#hear();
        if (message.kind === 'done') return { ...message.image, processorMs: message.processorMs };
        if (message.kind === 'step') {
          if (message.step === message.steps) stage = 'decode';
          onStep?.(message.step, message.steps);
        } else if (message.kind === 'state') states?.onState(message.state);
        else throw this.#failure(message);
      }
    } catch (error) {
      // A cancellation must not hide that the child is broken.
      if (!(error instanceof RenderFault)) {
        if (signal?.aborted) throw signal.reason;
        throw this.#ranOutOfMemory(error, killsBefore)
          ? new RendererOutOfMemory(error.message, stage)
          : this.#explained(error, request);
      }
      this.kill('its render failed');
      throw error;
    } finally {
      clearTimeout(deadline);
      signal?.removeEventListener('abort', cancel);
    }
  }

  /** The kernel counts what it ends for want of memory; that another process was meant at that moment costs a rung. */
  #ranOutOfMemory(error: unknown, killsBefore: number): error is RendererDied {
    return error instanceof RendererDied && this.#killedBecause === undefined && kernelKills() > killsBefore;
  }

  /** A system that runs out of memory ends the process that has the most, without a word. */
  #explained(error: unknown, { decode }: RenderRequest): unknown {
    if (!(error instanceof RendererDied) || decode === undefined || this.#killedBecause !== undefined) return error;
    return new RendererDied(
      `${error.message}; its picture was to be decoded in one piece, for which there may be too little memory. ` +
        'Where it happens again, take --decode tiled (docs/model.md, "Up to 4K").',
    );
  }

  /** Ends the process at once: it holds nothing that has to be kept. */
  kill(because: string): void {
    this.#killedBecause ??= because;
    this.#process.kill('SIGKILL');
  }

  /** Resolves when the process is no more. */
  get gone(): Promise<unknown> {
    return this.#exit;
  }

  #tell(message: ToChild): void {
    if (message.kind !== 'cancel') this.#lastHeard = performance.now();
    // A child that is gone cannot be told anything; whoever waits for its answer learns that from #hear.
    this.#process.send(message, () => {});
  }

  async #hear(): Promise<FromChild> {
    const next = await this.#messages.next();
    if (next.done) throw await this.#death();
    const now = performance.now();
    this.#longestWaitMs = Math.max(this.#longestWaitMs, now - this.#lastHeard);
    this.#lastHeard = now;
    return next.value[0];
  }

  async #death(): Promise<RendererDied> {
    const hung = setTimeout(() => this.kill('it closed its channel and went on'), EXIT_GRACE_MS);
    const how = await this.#exit;
    clearTimeout(hung);
    const because = this.#killedBecause ? `: ${this.#killedBecause}` : '';
    return new RendererDied(`renderer process ${this.pid} ended ${how} before it answered${because}`);
  }

  #failure(message: FromChild): Error {
    if (message.kind !== 'failed') return new RenderFault(`the renderer answered ${message.kind} out of turn`);
    return revive(message.failure);
  }
}

function revive({ cause, outOfMemoryAt, name, message, stack }: ChildFailure): Error {
  if (cause === 'user') return new UserError(message);
  if (cause === 'cancelled') return new Error(message);
  if (outOfMemoryAt !== undefined) return new RendererOutOfMemory(message, outOfMemoryAt);
  const fault = cause === 'code' ? new RendererBug(`unexpected ${name}: ${message}`) : new RenderFault(message);
  if (stack !== undefined) fault.stack = stack;
  return fault;
}
