import { isThrifty, type Thrift, TOO_LITTLE_MEMORY } from '../../domain/thrift.ts';
import { nextRung, type RenderRequest } from '../pixart/index.ts';
import { oneImage, type RendererRenderOptions } from './one-image.ts';
import { type PartOfDescription, pictureFacts } from './picture-facts.ts';
import type { Renderer } from './renderer.ts';
import { RendererOutOfMemory, RenderFault } from './renderer-faults.ts';
import { SharedLock } from './shared-lock.ts';

/** Even the lowest rung of the ladder needs more memory than this machine has. A larger machine may render the image. */
export class TooLittleMemory extends RenderFault {
  override readonly name = TOO_LITTLE_MEMORY;
}

/**
 * A renderer whose images continue with less memory when it runs out (models/pixart/ladder.ts), from the last state that
 * they reported. An image that was painted beside others is first tried alone, since those may have taken the memory.
 * The rung that an image needed is reported with it, and the next image of its bin starts there.
 */
export function withLessMemory(
  renderer: Renderer,
  description: PartOfDescription,
  onRung: (rung: Thrift, because: RendererOutOfMemory) => void = () => {},
): Renderer {
  const rungs = new Map<string, Thrift>();
  const isOneAtATime = renderer.children * renderer.microBatch === 1;
  const lock = new SharedLock();

  async function render(
    request: Parameters<Renderer['render']>[0],
    captions: Parameters<Renderer['render']>[1],
    options: RendererRenderOptions = {},
  ) {
    const place = placeOf(request);
    const attempt = oneImage(options);
    let waitMs = 0;
    for (let isAlone = isOneAtATime; ; isAlone = true) {
      const asked = performance.now();
      const release = await lock.take(isAlone, options.signal);
      waitMs += performance.now() - asked;
      // Read only now that it is this image's turn: a rung moves only while its image is alone, so none moves back up.
      const thrift = rungs.get(place) ?? {};
      try {
        const image = await renderer.render(request, captions, { ...attempt(), thrift });
        return { ...image, waitMs: waitMs + image.waitMs, ...(isThrifty(thrift) && { thrift }) };
      } catch (error) {
        if (!(error instanceof RendererOutOfMemory) || options.signal?.aborted) throw error;
        if (!isAlone) continue;
        const next = nextRung(pictureFacts(request, description), thrift, error.stage);
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
    `${message}; no smaller tiles or batches are left to try. Use ${decode === 'whole' ? '--decode tiled, ' : ''}a smaller size, ` +
      'or a machine with more memory (docs/operations.md, "Too little memory").',
  );

const placeOf = ({ size, bin, decode }: RenderRequest): string =>
  `${size} ${bin.width}×${bin.height} ${decode ?? 'tiled'}`;
