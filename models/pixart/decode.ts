import { setImmediate as turn } from 'node:timers/promises';
import { Tensor } from 'onnxruntime-node';
import type { BundleDescription } from './bundle.ts';
import type { Planes } from './resize-crop.ts';
import type { Graph } from './session.ts';
import { type Tile, tileAxis } from './tiles.ts';

/** Latents of one image, [channels, height, width]. */
export type Latents = { data: Float32Array; channels: number; height: number; width: number };

/** What is decoded in one piece: all bins of 1024 px and below, 2048 × 512 among them. */
const ONE_PIECE = 136 * 128;

/** 1024 px and a quarter of it, as in the reference's tiled decoding. */
const TILE = { length: 128, overlap: 32 };

const CHANNELS = 3;

/**
 * Decodes latents to an image of about −1 … 1: in one piece or, above 1024 px, in overlapping tiles that are blended, so
 * that memory stays that of one tile and the finished planes.
 *
 * @throws the signal's reason where it was aborted; it is looked at before each piece.
 */
export async function decode(
  vaeDecoder: Graph,
  vae: BundleDescription['vae'],
  latents: Latents,
  signal: AbortSignal | undefined,
): Promise<Planes> {
  const scaled = { ...latents, data: latents.data.map((latent) => latent / vae.scaling + vae.shift) };
  if (latents.height * latents.width > ONE_PIECE) return decodeTiles(vaeDecoder, scaled, vae.factor, signal);
  await stopPoint(signal);
  return decodePiece(vaeDecoder, scaled, vae.factor);
}

/** A graph blocks this thread: only between two of them can a message that asks to stop come in. */
async function stopPoint(signal: AbortSignal | undefined): Promise<void> {
  await turn();
  signal?.throwIfAborted();
}

async function decodePiece(vaeDecoder: Graph, latents: Latents, factor: number): Promise<Planes> {
  const { data, channels, height, width } = latents;
  const image = await vaeDecoder.run({ latents: new Tensor('float32', data, [1, channels, height, width]) });
  return { data: image, width: width * factor, height: height * factor };
}

async function decodeTiles(
  vaeDecoder: Graph,
  latents: Latents,
  factor: number,
  signal: AbortSignal | undefined,
): Promise<Planes> {
  const width = latents.width * factor;
  const height = latents.height * factor;
  const image = { data: new Float32Array(CHANNELS * width * height), width, height };
  for (const row of tileAxis(latents.height, TILE, factor)) {
    for (const column of tileAxis(latents.width, TILE, factor)) {
      await stopPoint(signal);
      const piece = await decodePiece(vaeDecoder, cutTile(latents, row, column), factor);
      addTile(image, piece, row.start * factor, column.start * factor, row.shares, column.shares);
    }
  }
  return image;
}

function cutTile(latents: Latents, row: Tile, column: Tile): Latents {
  const tile = new Float32Array(latents.channels * row.length * column.length);
  let offset = 0;
  for (let channel = 0; channel < latents.channels; channel++) {
    for (let y = 0; y < row.length; y++) {
      const begin = (channel * latents.height + row.start + y) * latents.width + column.start;
      tile.set(latents.data.subarray(begin, begin + column.length), offset);
      offset += column.length;
    }
  }
  return { data: tile, channels: latents.channels, height: row.length, width: column.length };
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
