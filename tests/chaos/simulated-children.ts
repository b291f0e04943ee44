import { fileURLToPath } from 'node:url';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';

/** What render workers are told to serve. Its graphs are never loaded. */
export const BUNDLE = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));

/**
 * The environment of a render worker whose renderer children only take an image's time: see simulated-child.mjs.
 *
 * @param computed a file that grows by a byte with every computation that is begun
 */
export async function simulatedChildren(computed: string): Promise<NodeJS.ProcessEnv> {
  const child = new URL('./simulated-child.mjs', import.meta.url);
  const bundle = JSON.stringify(bundleRef(await openBundle(BUNDLE)));
  child.search = new URLSearchParams({ bundle, computed }).toString();
  return { NODE_OPTIONS: `--import ${child}` };
}
