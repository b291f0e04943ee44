import type { ImageFormat } from '../domain/image-format.ts';
import { formatOf } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';

/** How one file shows a picture. */
export type Look = {
  /** Pixels of the longer side. */
  longer: number;
  format: ImageFormat;
  /** For lossy formats; `null` for the default. */
  quality: number | null;
  /** Without its background. */
  isTransparent: boolean;
  /** Without the empty area around the subject. */
  isTrimmed: boolean;
  /** Empty pixels around the result. */
  padding: number;
  /** PNG only: with the parameters in the format of other tools. */
  hasParameters: boolean;
};

/** A picture's size in a look, before trimming and padding. */
export function sizeIn({ longer }: Look, { width, height }: Pick<ManifestRow, 'width' | 'height'>) {
  const scale = longer / Math.max(width, height);
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Whether a look leaves a picture's pixels and encoding unchanged. */
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
