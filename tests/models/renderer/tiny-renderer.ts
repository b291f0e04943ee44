import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { RenderRequest } from '../../../models/pixart/index.ts';
import { type Renderer, type RendererOptions, startRenderer } from '../../../models/renderer/index.ts';

export const TINY_BUNDLE = fileURLToPath(new URL('../../golden/bundles/tiny-velocity', import.meta.url));

/** One step of this takes some milliseconds; give many steps to have time to interfere. */
export const request = (changes: Partial<RenderRequest> = {}): RenderRequest => ({
  prompt: 'a red fox in the snow',
  negativePrompt: '',
  size: '256',
  bin: { height: 256, width: 256 },
  width: 256,
  height: 256,
  seed: 7,
  steps: 4,
  guidance: 4.5,
  ...changes,
});

/** A renderer with the process ids of its children, in the order in which they became ready. */
export type TinyRenderer = Renderer & { pids: number[] };

export async function tinyRenderer(options: Partial<RendererOptions> = {}): Promise<TinyRenderer> {
  const pids: number[] = [];
  const renderer = await startRenderer({
    bundleFolder: TINY_BUNDLE,
    device: 'cpu',
    threads: 1,
    onStart: ({ pid }) => pids.push(pid),
    ...options,
  });
  return { ...renderer, pids };
}

/** A renderer that is closed when the test ends. */
export async function rendererOfThisTest(options: Partial<RendererOptions> = {}): Promise<TinyRenderer> {
  const renderer = await tinyRenderer(options);
  onTestFinished(() => renderer.close());
  return renderer;
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** Waits for a condition; the test's own time limit ends a wait that is in vain. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await sleep(20);
}
