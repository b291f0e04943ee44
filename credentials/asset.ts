import { type Asset, type AssetType, BMFF, JPEG, PNG } from '@trustnxt/c2pa-ts/asset';
import type { ImageFormat } from '../domain/image-format.ts';
import { WebP } from './webp.ts';

const KINDS: Record<ImageFormat, AssetType> = { png: PNG, webp: WebP, avif: BMFF, jpeg: JPEG };

/**
 * A picture's file as a place for a manifest. The library works on a copy that begins where its buffer does: given a view of a larger
 * buffer it leaves an AVIF that cannot be decoded (findings/c2pa-ts-spoils-avif-in-a-view.sh).
 *
 * @throws Error where the file is of another format, or not whole
 */
export const assetOf = (file: Uint8Array, format: ImageFormat): Asset => new KINDS[format](new Uint8Array(file));

/** The same by what the file itself is; `null` where it is none of our formats. */
export function findAsset(file: Uint8Array): Asset | null {
  const kind = Object.values(KINDS).find((kind) => kind.canRead(file));
  return kind === undefined ? null : new kind(new Uint8Array(file));
}
