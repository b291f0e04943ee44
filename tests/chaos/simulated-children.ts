import { fileURLToPath } from 'node:url';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';

/** What render workers are told to serve. Its graphs are never loaded. */
export const BUNDLE = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

export type SimulatedChildren = {
  /** A file that grows by a byte with every computation that is begun. */
  computed: string;
  /** Another one, for texts that are encoded. */
  texts?: string;
  /** What a denoising step takes; 25 unless it is given. */
  stepMs?: number;
  /** The seed of an image that kills its worker each time. */
  killer?: number;
};

/** The environment of a worker whose children only take an image's time, and encode no text: see simulated-child.mjs. */
export async function simulatedChildren({
  computed,
  texts,
  stepMs,
  killer,
}: SimulatedChildren): Promise<NodeJS.ProcessEnv> {
  const child = new URL('./simulated-child.mjs', import.meta.url);
  const bundle = await openBundle(BUNDLE);
  const { heads, headWidth } = bundle.description.transformer;
  child.search = new URLSearchParams({
    ...{ bundle: JSON.stringify(bundleRef(bundle)), computed, width: String(heads * headWidth) },
    ...(texts !== undefined && { texts }),
    ...(stepMs !== undefined && { stepMs: String(stepMs) }),
    ...(killer !== undefined && { killer: String(killer) }),
  }).toString();
  return { NODE_OPTIONS: `--import ${child}` };
}
