import type { BundleDescription } from './bundle.ts';
import { CHANNELS, decodedSize } from './decoded-size.ts';
import { finite } from './finite.ts';
import type { Latents } from './latents.ts';
import { Tensor } from './onnxruntime.ts';
import type { Planes } from './resize-crop.ts';
import type { Network } from './session.ts';
import { stopPoint } from './stop-point.ts';

/** Rows from the top, three bytes a pixel. */
type Bytes = { data: Uint8Array; width: number; height: number };

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
  await stopPoint(signal);
  const latents = new Tensor(
    'float32',
    data.map((latent) => latent / scaling),
    [1, channels, height, width],
  );
  const { image, level } = await decoder.run({ latents }, ['image', 'level']);
  // The mean of all numbers before they became bytes, since a byte no longer shows that its number was not finite.
  finite(level!.data as Float32Array, 'mean of the pixels of the decoder');
  const pixels = image!.data as Uint8Array;
  return { data: pixels, ...decodedSize('vae_decoder.cuda.onnx', pixels.length, { width, height }, factor) };
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
