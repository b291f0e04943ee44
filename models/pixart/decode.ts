import { setImmediate as turn } from 'node:timers/promises';
import { UserError } from '../../domain/user-error.ts';
import type { BundleDescription } from './bundle.ts';
import { finite } from './finite.ts';
import { cutLatents, type Latents, thinLatents } from './latents.ts';
import { Tensor } from './onnxruntime.ts';
import type { Planes } from './resize-crop.ts';
import { type Graph, saysNoMemory } from './session.ts';
import { tileAxis } from './tiles.ts';

/** What is decoded in one piece: all bins of 1024 px and below, 2048 × 512 among them. */
const ONE_PIECE = 136 * 128;

/** 1024 px and a quarter of it, as in the reference's tiled decoding. */
const TILE = { length: 128, overlap: 32 };

const CHANNELS = 3;

type Vae = BundleDescription['vae'];

/**
 * Decodes latents to an image of about −1 … 1: in one piece or, above 1024 px, in overlapping tiles that are blended, so
 * that memory stays that of one tile and the finished planes.
 *
 * @param isWhole in one piece above 1024 px too
 * @throws the signal's reason where it was aborted; it is looked at before each piece. UserError where pixels are not finite, or there
 * is no memory for so large a piece.
 */
export async function decode(
  vaeDecoder: Graph,
  vae: Vae,
  latents: Latents,
  signal: AbortSignal | undefined,
  isWhole = false,
): Promise<Planes> {
  const scaled = { ...latents, data: latents.data.map((latent) => latent / vae.scaling) };
  const isLarge = latents.height * latents.width > ONE_PIECE;
  if (isLarge && !isWhole) return decodeTiles(vaeDecoder, vae, scaled, signal);
  await stopPoint(signal);
  return isLarge ? decodeLargePiece(vaeDecoder, vae, scaled) : decodePiece(vaeDecoder, vae, scaled);
}

async function decodeLargePiece(vaeDecoder: Graph, vae: Vae, latents: Latents): Promise<Planes> {
  try {
    return await decodePiece(vaeDecoder, vae, latents);
  } catch (error) {
    const { message } = error as Error;
    if (!saysNoMemory(message)) throw error;
    const pixels = `${latents.width * vae.factor}×${latents.height * vae.factor}`;
    throw new UserError(
      `there is no memory to decode ${pixels} px in one piece: ${message}\nTake --decode tiled, a smaller size, or a machine with more (docs/model.md, "Up to 4K").`,
    );
  }
}

/** A graph blocks this thread: only between two of them can a message that asks to stop come in. */
async function stopPoint(signal: AbortSignal | undefined): Promise<void> {
  await turn();
  signal?.throwIfAborted();
}

/** Decodes latents with the statistics given, or with their own. */
async function decodePiece(vaeDecoder: Graph, vae: Vae, latents: Latents, statistics?: Float32Array): Promise<Planes> {
  const data = finite(await vaeDecoder.run(decoderInputs(vae, latents, statistics), 'image'), 'pixels of the decoder');
  const [width, height] = [latents.width * vae.factor, latents.height * vae.factor];
  if (data.length !== CHANNELS * width * height) {
    throw new UserError(
      `vae_decoder.onnx makes ${data.length / CHANNELS} pixels of ${latents.width}×${latents.height} latents, not ${width}×${height}, ` +
        `as the factor of ${vae.factor} in bundle.json says. Where that was edited, undo it; otherwise export the checkpoint again.`,
    );
  }
  return { data, width, height };
}

function decoderInputs({ norms, groups }: Vae, { data, channels, height, width }: Latents, statistics?: Float32Array) {
  const inputs = { latents: new Tensor('float32', data, [1, channels, height, width]) };
  if (norms === 0) return inputs;
  const given = statistics ?? new Float32Array(norms * 2 * groups);
  return {
    ...inputs,
    given_statistics: new Tensor('float32', given, [1, norms, 2, groups]),
    is_given: new Tensor('bool', [statistics !== undefined], [1]),
  };
}

async function decodeTiles(
  vaeDecoder: Graph,
  vae: Vae,
  latents: Latents,
  signal: AbortSignal | undefined,
): Promise<Planes> {
  const { factor } = vae;
  const width = latents.width * factor;
  const height = latents.height * factor;
  const image = { data: new Float32Array(CHANNELS * width * height), width, height };
  await stopPoint(signal);
  const statistics = vae.norms === 0 ? undefined : await statisticsOf(vaeDecoder, vae, latents);
  for (const row of tileAxis(latents.height, TILE, factor)) {
    for (const column of tileAxis(latents.width, TILE, factor)) {
      await stopPoint(signal);
      const tile = cutLatents(latents, row.start, column.start, row.length, column.length);
      const piece = await decodePiece(vaeDecoder, vae, tile, statistics);
      addTile(image, piece, row.start * factor, column.start * factor, row.shares, column.shares);
    }
  }
  return image;
}

/**
 * What the decoder's group norms would see of a picture that is too large for one piece, as far as a smaller one tells. A
 * tile's own would make it lighter or darker than its neighbours (docs/decisions/024).
 */
function statisticsOf(vaeDecoder: Graph, vae: Vae, latents: Latents): Promise<Float32Array> {
  const every = Math.ceil(Math.sqrt((latents.height * latents.width) / ONE_PIECE));
  return vaeDecoder.run(decoderInputs(vae, thinLatents(latents, every)), 'statistics');
}

function addTile(
  image: Planes,
  piece: Planes,
  top: number,
  left: number,
  rowShares: Float32Array,
  columnShares: Float32Array,
): void {
  let source = 0;
  for (let channel = 0; channel < CHANNELS; channel++) {
    for (let y = 0; y < piece.height; y++) {
      const target = (channel * image.height + top + y) * image.width + left;
      for (let x = 0; x < piece.width; x++) {
        image.data[target + x]! += piece.data[source++]! * rowShares[y]! * columnShares[x]!;
      }
    }
  }
}
