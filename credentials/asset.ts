import { type Asset, type AssetType, BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import type { ImageFormat } from '../domain/image-format.ts';
import { WebP } from './webp.ts';

const KINDS: Record<ImageFormat, AssetType> = { png: PNG, webp: WebP, avif: BMFF, jpeg: JPEG };

/**
 * A picture's file as a container for a manifest. The library gets a copy that starts at its buffer's beginning: given
 * a view of a larger buffer, it leaves an AVIF that cannot be decoded (findings/c2pa-ts-spoils-avif-in-a-view.sh).
 *
 * @throws Error if the file has another format, or is incomplete
 */
export const assetOf = (file: Uint8Array, format: ImageFormat): Asset => new KINDS[format](new Uint8Array(file));

/** The same, with the format detected from the file; `null` if it is none of our formats. */
export function findAsset(file: Uint8Array): Asset | null {
  const kind = Object.values(KINDS).find((kind) => kind.canRead(file));
  return kind === undefined ? null : new kind(new Uint8Array(file));
}
