import type { ImageFormat } from '../domain/image-format.ts';
import { formatOf } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';

/** How one file is to show a picture. */
export type Look = {
  /** Pixels of the longer side. */
  longer: number;
  format: ImageFormat;
  /** Of a lossy format; `null` for the usual one. */
  quality: number | null;
  /** Without its background. */
  isTransparent: boolean;
  /** Without what is empty around the subject. */
  isTrimmed: boolean;
  /** Empty pixels around all that. */
  padding: number;
  /** PNG only: with the parameters in the form of other tools. */
  hasParameters: boolean;
};

/** Pixels that a picture has in a look, before it is trimmed and padded. */
export function sizeIn({ longer }: Look, { width, height }: Pick<ManifestRow, 'width' | 'height'>) {
  const scale = longer / Math.max(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whether a look leaves a picture's pixels and their encoding as they are. */
export const leavesPixels = (
  { longer, format, quality, isTransparent, isTrimmed, padding }: Look,
  { file, width, height }: ManifestRow,
): boolean =>
  formatOf(file) === format &&
  quality === null &&
  longer === Math.max(width, height) &&
  !isTransparent &&
  !isTrimmed &&
  padding === 0;
