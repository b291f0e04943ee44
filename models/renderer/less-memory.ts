import { Semaphore } from 'async-mutex';
import { isThrifty, type Thrift, TOO_LITTLE_MEMORY } from '../../domain/thrift.ts';
import { type BundleDescription, nextRung, type RenderRequest, type SamplerState } from '../pixart/index.ts';
import type { Renderer, RendererRenderOptions } from './renderer.ts';
import { RendererOutOfMemory, RenderFault } from './renderer-child.ts';
import { takePermits } from './waiting.ts';

type PartOfDescription = Pick<BundleDescription, 'vae' | 'transformer' | 'precision'>;

/** No rung of the ladder has room for the picture on this machine. A larger one may have. */
export class TooLittleMemory extends RenderFault {
  override readonly name = TOO_LITTLE_MEMORY;
}

/**
 * A renderer whose pictures go on with less where memory runs out (models/pixart/ladder.ts), from the last state that they told. Where others
 * were painted beside it, the picture is first tried alone, since those may have had the memory. The rung that a picture needed
 * is where the next one of its bin begins; it is told with the picture.
 */
export function withLessMemory(
  renderer: Renderer,
  description: PartOfDescription,
  onRung: (rung: Thrift, because: RendererOutOfMemory) => void = () => {},
): Renderer {
  const rungs = new Map<string, Thrift>();
  const { children } = renderer;
  const permits = new Semaphore(children);

  async function render(
    request: Parameters<Renderer['render']>[0],
    captions: Parameters<Renderer['render']>[1],
    options: RendererRenderOptions = {},
  ) {
    const place = placeOf(request);
    const attempt = oneImage(options);
    let waitMs = 0;
    for (let isAlone = children === 1; ; isAlone = true) {
      const asked = performance.now();
      const release = await takePermits(permits, isAlone ? children : undefined, options.signal);
      waitMs += performance.now() - asked;
      // Read once it is this picture's turn: only who is alone moves a rung, so that none is moved back up.
      const thrift = rungs.get(place) ?? {};
      try {
        const image = await renderer.render(request, captions, { ...attempt(), thrift });
        return { ...image, waitMs: waitMs + image.waitMs, ...(isThrifty(thrift) && { thrift }) };
      } catch (error) {
        if (!(error instanceof RendererOutOfMemory) || options.signal?.aborted) throw error;
        if (!isAlone) continue;
        const next = nextRung(ladderPicture(request, description), thrift, error.stage);
        if (next === null) throw tooLittleMemory(error, request);
        rungs.set(place, next);
        onRung(next, error);
      } finally {
        release();
      }
    }
  }

  return { ...renderer, render };
}

const tooLittleMemory = ({ message }: Error, { decode }: RenderRequest): TooLittleMemory =>
  new TooLittleMemory(
    `${message}; no smaller tiles or batches are left to try. Take ${decode === 'whole' ? '--decode tiled, ' : ''}a smaller size, ` +
      'or a machine with more memory (docs/operations.md, "Too little memory").',
  );

/** The options of each attempt at one image: it begins once, and goes on where the last attempt was. */
function oneImage(options: RendererRenderOptions): () => RendererRenderOptions {
  const { states, onBegin } = options;
  let resume = options.resume;
  let hasBegun = false;
  const onState = (state: SamplerState): void => {
    resume = state;
    states?.onState(state);
  };
  return () => ({
    ...options,
    resume,
    ...(states && { states: { ...states, onState } }),
    onBegin: () => {
      if (!hasBegun) onBegin?.();
      hasBegun = true;
    },
  });
}

const placeOf = ({ size, bin, decode }: RenderRequest): string =>
  `${size} ${bin.width}×${bin.height} ${decode ?? 'tiled'}`;

function ladderPicture({ bin, guidance, decode }: RenderRequest, { vae, transformer, precision }: PartOfDescription) {
  const [height, width] = [bin.height / vae.factor, bin.width / vae.factor];
  const tokens = (height * width) / transformer.patch ** 2;
  const weights = precision?.transformer.weights;
  return { height, width, tokens, weights, isGuided: guidance > 1, isWhole: decode === 'whole' };
}
