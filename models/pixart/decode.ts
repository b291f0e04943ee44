import type { Thrift } from '../../domain/thrift.ts';
import type { BundleDescription } from './bundle.ts';
import { type Pieces, piecesOf } from './decode-pieces.ts';
import { CHANNELS, decodedSize } from './decoded-size.ts';
import { finite } from './finite.ts';
import { cutLatents, type Latents, thinLatents } from './latents.ts';
import { Tensor } from './onnxruntime.ts';
import type { Planes } from './resize-crop.ts';
import type { Graph } from './session.ts';
import { stopPoint } from './stop-point.ts';
import { type TileSize, tileAxis } from './tiles.ts';

type Vae = BundleDescription['vae'];

type DecodeOptions = Pick<Thrift, 'tileLatents'> & {
  /** In one piece above 1024 px too. */
  isWhole?: boolean | undefined;
};

/**
 * Decodes latents to an image of about −1 … 1: in one piece or, above 1024 px and where smaller tiles are asked for, in
 * overlapping tiles that are blended, so that memory stays that of one tile and the finished planes.
 *
 * @throws the signal's reason where it was aborted; it is looked at before each piece. UserError where pixels are not
 * finite.
 */
export async function decode(
  vaeDecoder: Graph,
  vae: Vae,
  latents: Latents,
  signal: AbortSignal | undefined,
  { isWhole = false, tileLatents }: DecodeOptions = {},
): Promise<Planes> {
  const scaled = { ...latents, data: latents.data.map((latent) => latent / vae.scaling) };
  const pieces = piecesOf(latents, { tileLatents, onePiece: vae.onePiece });
  if (pieces.tile !== null && !isWhole)
    return decodeTiles(vaeDecoder, vae, scaled, signal, { ...pieces, tile: pieces.tile });
  await stopPoint(signal);
  return decodePiece(vaeDecoder, vae, scaled);
}

/** Decodes latents with the statistics given, or with their own. */
async function decodePiece(vaeDecoder: Graph, vae: Vae, latents: Latents, statistics?: Float32Array): Promise<Planes> {
  const data = finite(await vaeDecoder.run(decoderInputs(vae, latents, statistics), 'image'), 'pixels of the decoder');
  return { data, ...decodedSize('vae_decoder.onnx', data.length, latents, vae.factor) };
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
  { tile: tileSize, every }: Pieces & { tile: TileSize },
): Promise<Planes> {
  const { factor } = vae;
  const width = latents.width * factor;
  const height = latents.height * factor;
  const image = { data: new Float32Array(CHANNELS * width * height), width, height };
  await stopPoint(signal);
  const statistics = vae.norms === 0 ? undefined : await statisticsOf(vaeDecoder, vae, thinLatents(latents, every));
  for (const row of tileAxis(latents.height, tileSize, factor)) {
    for (const column of tileAxis(latents.width, tileSize, factor)) {
      await stopPoint(signal);
      const tile = cutLatents(latents, row.start, column.start, row.length, column.length);
      const piece = await decodePiece(vaeDecoder, vae, tile, statistics);
      addTile(image, piece, row.start * factor, column.start * factor, row.shares, column.shares);
    }
  }
  return image;
}

/**
 * What the decoder's group norms would see of a picture that is too large for one piece, as far as a smaller one shows. A
 * tile's own would make it lighter or darker than its neighbours (docs/decisions/024).
 */
const statisticsOf = (vaeDecoder: Graph, vae: Vae, thinned: Latents): Promise<Float32Array> =>
  vaeDecoder.run(decoderInputs(vae, thinned), 'statistics');

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
