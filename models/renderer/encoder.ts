import { Mutex } from 'async-mutex';
import { UserError } from '../../domain/user-error.ts';
import type { Caption } from '../pixart/index.ts';
import { ChildKeeper, type KeeperOptions } from './child-keeper.ts';
import type { RendererChild } from './renderer-child.ts';
import { RendererDied } from './renderer-faults.ts';
import { takeTurn, untilAborted } from './waiting.ts';

/** A text encoder may need many times the memory of everything else; reloading it takes seconds. */
const IDLE_MS = 20_000;

export type EncoderOptions = Omit<KeeperOptions, 'part'> & {
  /** How long its process waits for another text before it ends. */
  idleMs?: number | undefined;
  /** Called when the process has ended because there was nothing to encode. */
  onIdle?: (() => void) | undefined;
};

export type EncodeOptions = {
  signal?: AbortSignal | undefined;
  /** Called with the milliseconds that the networks took, without waiting for the text's turn or for them to load. */
  onEncoded?: ((ms: number) => void) | undefined;
};

/**
 * Encodes texts into captions in its own process, which lives only while there are texts. One at a time, first come,
 * first served.
 */
export type Encoder = {
  /** Aborted, with a UserError as its reason, when the encoder cannot be loaded any more: see Renderer. */
  readonly unusable: AbortSignal;
  /**
   * @param ids of a text that a PromptReader has read
   * @throws UserError if the graphs refuse these; RendererDied and RenderFault, after which another attempt may succeed;
   * the signal's reason, at once, although a text in hand is still encoded to its end
   */
  encode(ids: number[], options?: EncodeOptions): Promise<Caption>;
  /** Ends the process. A text in hand rejects with RendererDied. */
  close(): Promise<void>;
};

/** Starts no process yet: the first text does. */
export function createEncoder({ idleMs = IDLE_MS, onIdle = () => {}, ...options }: EncoderOptions): Encoder {
  const keeper = new ChildKeeper({ ...options, part: 'encoder' });
  const permit = new Mutex();
  const unusable = new AbortController();
  let idle: NodeJS.Timeout | undefined;

  async function liveChild(): Promise<RendererChild> {
    try {
      return await keeper.child();
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      unusable.abort(error);
      throw new RendererDied(`the text encoder cannot be loaded: ${error.message}`, { cause: error });
    }
  }

  async function encodeNext(ids: number[], onEncoded: EncodeOptions['onEncoded']): Promise<Caption> {
    clearTimeout(idle);
    const child = await liveChild();
    const began = performance.now();
    const caption = await child.encode(ids);
    onEncoded?.(performance.now() - began);
    return caption;
  }

  async function rest(): Promise<void> {
    const release = await permit.acquire();
    try {
      await keeper.rest();
      onIdle();
    } finally {
      release();
    }
  }

  return {
    unusable: unusable.signal,

    async encode(ids, { signal, onEncoded } = {}) {
      const release = await takeTurn(permit, signal);
      const encoded = encodeNext(ids, onEncoded).finally(() => {
        release();
        // Also if others wait: they may be cancelled. The next text that is encoded stops the timer.
        idle = setTimeout(rest, idleMs).unref();
      });
      return untilAborted(encoded, signal);
    },

    async close() {
      clearTimeout(idle);
      await keeper.close();
    },
  };
}
