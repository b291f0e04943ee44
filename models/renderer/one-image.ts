import type { SamplerState } from '../pixart/index.ts';
import type { ChildRenderOptions } from './renderer-child.ts';

export type RendererRenderOptions = ChildRenderOptions & {
  /** Whether it gets a child to itself, as one that has ended a child before. */
  isAlone?: boolean | undefined;
  /** Called once, when a child is this caller's and computing begins. */
  onBegin?: (() => void) | undefined;
};

/** The options of each try at one image: it begins once, and goes on where the last try was. */
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
