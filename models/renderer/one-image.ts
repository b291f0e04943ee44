import type { SamplerState } from '../pixart/index.ts';
import type { ChildRenderOptions } from './renderer-child.ts';

export type RendererRenderOptions = ChildRenderOptions & {
  /** Whether it gets a child to itself, because it has crashed one before. */
  isAlone?: boolean | undefined;
  /** Called once, when a child begins to compute it. */
  onBegin?: (() => void) | undefined;
};

/** Returns the options of each try at an image: it begins only once, and continues from the last state of earlier tries. */
export function oneImage(options: RendererRenderOptions): () => RendererRenderOptions {
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
