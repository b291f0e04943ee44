import { UserError } from '../../domain/user-error.ts';
import type { GraphFile } from './bundle-parts.ts';
import type { Latents } from './latents.ts';

/** Of an image. */
export const CHANNELS = 3;

/**
 * Returns the sides of an image that a decoder made of latents.
 *
 * @param values how many the graph returned
 * @throws UserError if the graph's factor is not the one in bundle.json
 */
export function decodedSize(
  file: GraphFile,
  values: number,
  latents: Pick<Latents, 'width' | 'height'>,
  factor: number,
): { width: number; height: number } {
  const [width, height] = [latents.width * factor, latents.height * factor];
  if (values === CHANNELS * width * height) return { width, height };
  throw new UserError(
    `${file} makes ${values / CHANNELS} pixels of ${latents.width}×${latents.height} latents, not ${width}×${height}, ` +
      `as the factor of ${factor} in bundle.json says. If that was edited, undo it; otherwise export the checkpoint again.`,
  );
}
