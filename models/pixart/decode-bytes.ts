import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../../domain/user-error.ts';
import type { BundleDescription } from './bundle.ts';
import { finite } from './finite.ts';
import type { Latents } from './latents.ts';
import { Tensor } from './onnxruntime.ts';
import type { Planes } from './resize-crop.ts';
import type { Network } from './session.ts';

/** Rows from the top, three bytes a pixel. */
type Bytes = { data: Uint8Array; width: number; height: number };

const CHANNELS = 3;

/**
 * Decodes latents in one piece to the bytes of a picture, which a graph for CUDA makes on the card.
 *
 * @throws the signal's reason where it was aborted. UserError where a pixel is not finite, or the graph is not the bundle's.
 */
export async function decodeToBytes(
  decoder: Pick<Network, 'run'>,
  { scaling, factor }: BundleDescription['vae'],
  { data, channels, height, width }: Latents,
  signal: AbortSignal | undefined,
): Promise<Bytes> {
  // A graph blocks this thread: only here can a message that asks to stop come in.
  await turn();
  signal?.throwIfAborted();
  const latents = new Tensor(
    'float32',
    data.map((latent) => latent / scaling),
    [1, channels, height, width],
  );
  const { image, level } = await decoder.run({ latents }, ['image', 'level']);
  // The mean of all numbers before they became bytes, since a byte no longer shows that its number was not finite.
  finite(level!.data as Float32Array, 'mean of the pixels of the decoder');
  const [rows, columns] = [height * factor, width * factor];
  if (image!.data.length === CHANNELS * rows * columns) {
    return { data: image!.data as Uint8Array, width: columns, height: rows };
  }
  throw new UserError(
    `vae_decoder.cuda.onnx makes ${image!.data.length / CHANNELS} pixels of ${width}×${height} latents, not ${columns}×${rows}, as the ` +
      `factor of ${factor} in bundle.json says. If that was edited, undo it; otherwise export the checkpoint again.`,
  );
}

/** The picture as planes of −1 … 1, to be resized. */
export function planesOf({ data, width, height }: Bytes): Planes {
  const pixels = width * height;
  const planes = new Float32Array(CHANNELS * pixels);
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let i = 0; i < pixels; i++) planes[channel * pixels + i] = data[i * CHANNELS + channel]! / 127.5 - 1;
  }
  return { data: planes, width, height };
}
