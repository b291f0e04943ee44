import { fileURLToPath } from 'node:url';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';

/** What render workers are told to serve. Its graphs are never loaded. */
export const BUNDLE = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

const SIMULATED_CHILD = new URL('./simulated-child.mjs', import.meta.url).href;

/**
 * The environment of a render worker whose renderer children only take an image's time: see simulated-child.mjs.
 *
 * @param computed a file that grows by a byte with every computation that is begun
 */
export const simulatedChildren = async (computed: string): Promise<NodeJS.ProcessEnv> => ({
  NODE_OPTIONS: `--import ${SIMULATED_CHILD}`,
  SIMULATED_BUNDLE: JSON.stringify(bundleRef(await openBundle(BUNDLE))),
  SIMULATED_COMPUTATIONS: computed,
});
