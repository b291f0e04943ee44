import { isThrifty, type Thrift, TOO_LITTLE_MEMORY } from '../../domain/thrift.ts';
import { type BundleDescription, nextRung, type RenderRequest, type SamplerState } from '../pixart/index.ts';
import type { Renderer, RendererRenderOptions } from './renderer.ts';
import { RendererStarved, RenderFault } from './renderer-child.ts';

/** No rung of the ladder has room for the picture on this machine. A larger one may have. */
export class TooLittleMemory extends RenderFault {
  override readonly name = TOO_LITTLE_MEMORY;
}

/**
 * A renderer whose pictures climb down the ladder where memory runs out (models/pixart/ladder.ts), from the last state that they told. The rung
 * that a picture needed is where the next one of its bin begins; it is told with the picture.
 */
export function thrifty(
  renderer: Renderer,
  description: Pick<BundleDescription, 'vae' | 'transformer'>,
  onRung: (rung: Thrift, because: RendererStarved) => void = () => {},
): Renderer {
  const rungs = new Map<string, Thrift>();

  async function render(
    request: Parameters<Renderer['render']>[0],
    captions: Parameters<Renderer['render']>[1],
    options: RendererRenderOptions = {},
  ) {
    const place = placeOf(request);
    const attempt = oneImage(options);
    for (;;) {
      const thrift = rungs.get(place) ?? {};
      try {
        const image = await renderer.render(request, captions, { ...attempt(), thrift });
        return { ...image, ...(isThrifty(thrift) && { thrift }) };
      } catch (error) {
        if (!(error instanceof RendererStarved) || options.signal?.aborted) throw error;
        const next = nextRung(climberOf(request, description), thrift, error.stage);
        if (next === null) throw new TooLittleMemory(`${error.message}; no smaller tiles or batches are left to try`);
        rungs.set(place, next);
        onRung(next, error);
      }
    }
  }

  return { ...renderer, render };
}

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

function climberOf(
  { bin, guidance, decode }: RenderRequest,
  { vae, transformer }: Pick<BundleDescription, 'vae' | 'transformer'>,
) {
  const [height, width] = [bin.height / vae.factor, bin.width / vae.factor];
  const tokens = (height * width) / transformer.patch ** 2;
  return { height, width, tokens, isGuided: guidance > 1, isWhole: decode === 'whole' };
}
