import { isThrifty, type Thrift, TOO_LITTLE_MEMORY } from '../../domain/thrift.ts';
import { nextRung, type RenderRequest } from '../pixart/index.ts';
import { oneImage, type RendererRenderOptions } from './one-image.ts';
import { type PartOfDescription, pictureFacts } from './picture-facts.ts';
import type { Renderer } from './renderer.ts';
import { RendererOutOfMemory, RenderFault } from './renderer-faults.ts';
import { SharedLock } from './shared-lock.ts';

/** No rung of the ladder has room for the picture on this machine. A larger one may have. */
export class TooLittleMemory extends RenderFault {
  override readonly name = TOO_LITTLE_MEMORY;
}

/**
 * A renderer whose pictures go on with less where memory runs out (models/pixart/ladder.ts), from the last state that
 * they told. Where others were painted beside it, the picture is first tried alone, since those may have had the
 * memory. The rung that a picture needed is where the next one of its bin begins; it is told with the picture.
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
      // Read once it is this picture's turn: only who is alone moves a rung, so that none is moved back up.
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
