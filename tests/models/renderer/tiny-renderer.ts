import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { CaptionSource } from '../../../activities/index.ts';
import {
  type Caption,
  loadCaptionEncoder,
  openBundle,
  promptReader,
  type RenderRequest,
  type RequestCaptions,
  requestCaptions,
} from '../../../models/pixart/index.ts';
import {
  type Renderer,
  type RendererOptions,
  type RendererRenderOptions,
  startRenderer,
} from '../../../models/renderer/index.ts';

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

let captionOf: Promise<(text: string) => Promise<Caption>> | undefined;

/** Encodes texts with the tiny bundle in this process. */
export const tinyCaptions: CaptionSource = async (_store, asked) => () => captionsOf(asked);

async function captionsOf(asked: RenderRequest): Promise<RequestCaptions> {
  captionOf ??= loadEncoder();
  return requestCaptions(asked, await captionOf);
}

async function loadEncoder(): Promise<(text: string) => Promise<Caption>> {
  const bundle = await openBundle(TINY_BUNDLE);
  const { read } = await promptReader(bundle);
  const { encode } = await loadCaptionEncoder(bundle, { device: 'cpu', threads: 1 });
  return (text) => encode(read(text).ids);
}

/** A renderer with the process ids of its children, in the order in which they became ready. */
export type TinyRenderer = Renderer & {
  pids: number[];
  /** Renders a request from its texts. */
  draw(request: RenderRequest, options?: RendererRenderOptions): ReturnType<Renderer['render']>;
};

export async function tinyRenderer(options: Partial<RendererOptions> = {}): Promise<TinyRenderer> {
  const pids: number[] = [];
  const renderer = await startRenderer({
    bundleFolder: TINY_BUNDLE,
    device: 'cpu',
    threads: 1,
    onStart: ({ pid }) => pids.push(pid),
    ...options,
  });
  const draw: TinyRenderer['draw'] = async (asked, options) => renderer.render(asked, await captionsOf(asked), options);
  return { ...renderer, pids, draw };
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
