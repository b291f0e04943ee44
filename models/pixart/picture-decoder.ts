import type { Bundle } from './bundle.ts';
import { decode } from './decode.ts';
import { decodeToBytes, planesOf } from './decode-bytes.ts';
import { piecesOf } from './decode-pieces.ts';
import type { Latents } from './latents.ts';
import { bytesGraph } from './painter-graphs.ts';
import type { RenderOptions, RenderRequest } from './render-request.ts';
import { resizeAndCrop, toBytes } from './resize-crop.ts';
import { type Graph, type Network, openGraph, openNetwork, type SessionOptions } from './session.ts';

/** A bundle's decoder on one device: from latents to a picture's bytes. */
type PictureDecoder = {
  /** @throws UserError where a pixel is not finite; the signal's reason where it was aborted. */
  decode(request: RenderRequest, latents: Latents, options: RenderOptions): Promise<Uint8Array>;
  release(): Promise<void>;
};

/**
 * Loads the decoder. Where there is a graph for CUDA, that decodes pictures of one piece, and the general one is loaded
 * for the first that is decoded in tiles.
 *
 * @throws UserError where the graph cannot be loaded.
 * @throws DeviceFull
 */
export async function loadPictureDecoder(bundle: Bundle, options: SessionOptions): Promise<PictureDecoder> {
  const file = bytesGraph(bundle.description, options.device);
  const forCard = file === null ? null : await openNetwork(bundle, file, options);
  let general: Promise<Graph> | undefined;
  const openGeneral = (): Promise<Graph> => {
    general ??= openGraph(bundle, 'vae_decoder.onnx', options).catch((error: unknown) => {
      // There may be memory for it later.
      general = undefined;
      throw error;
    });
    return general;
  };
  if (forCard === null) await openGeneral();
  return {
    async decode(request, latents, { signal, thrift = {} }) {
      const { width, height, decode: asked } = request;
      const isWhole = asked === 'whole';
      const { onePiece } = bundle.description.vae;
      if (forCard !== null && (isWhole || piecesOf(latents, { ...thrift, onePiece }).tile === null)) {
        return decodeWhole(forCard, bundle, latents, { width, height, signal });
      }
      const pieces = { isWhole, tileLatents: thrift.tileLatents };
      const image = await decode(await openGeneral(), bundle.description.vae, latents, signal, pieces);
      return toBytes(resizeAndCrop(image, width, height));
    },

    async release() {
      await forCard?.release();
      await (await general)?.release();
    },
  };
}

type Wanted = { width: number; height: number; signal: AbortSignal | undefined };

async function decodeWhole(
  decoder: Network,
  { description }: Bundle,
  latents: Latents,
  { width, height, signal }: Wanted,
): Promise<Uint8Array> {
  const picture = await decodeToBytes(decoder, description.vae, latents, signal);
  if (picture.width === width && picture.height === height) return picture.data;
  return toBytes(resizeAndCrop(planesOf(picture), width, height));
}
