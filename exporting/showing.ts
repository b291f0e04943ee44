import type { PictureSigner } from '../credentials/picture-signer.ts';
import { digestOf } from '../domain/digest.ts';
import { UserError } from '../domain/user-error.ts';
import project from '../package.json' with { type: 'json' };
import { formatOf } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import type { ObjectStore } from '../store/index.ts';
import type { Look } from './look.ts';
import { copyDigest } from './picture-source.ts';
import type { LookRequest } from './request.ts';

/** What all work of an export shares. */
export type Exporting = {
  store: ObjectStore;
  batch: string;
  bundle: { name: string; digest: string };
  /** Signs the files; `null` if they are not signed. */
  signer: PictureSigner | null;
};

/** A picture as one file or sprite shows it. */
export type Showing = { row: ManifestRow; look: Look; side: number; density: number };

/** The same with the name of its file or sprite. */
export type NamedShowing = Showing & { name: string };

/**
 * How a picture is shown: every combination of side, density and format.
 *
 * @param usual the format if none is requested; default: the picture's own
 * @throws UserError if the picture has too few pixels: nothing is enlarged
 */
export function showingsOf(row: ManifestRow, request: LookRequest, usual = formatOf(row.file)): Showing[] {
  const { sides, densities = [1], formats = [usual], quality = null, padding = 0 } = request;
  const { transparent: isTransparent = false, trim: isTrimmed = false, pngParameters = false } = request;
  const longer = Math.max(row.width, row.height);
  const largest = Math.max(...densities);
  const showings: Showing[] = [];
  for (const side of sides ?? [Math.max(1, Math.round(longer / largest))]) {
    for (const density of densities) {
      // Dividing and multiplying again may be a pixel off.
      const pixels = sides === undefined && density === largest ? longer : side * density;
      if (pixels > longer) throw tooFewPixels(row, side, density);
      for (const format of formats) {
        const hasParameters = pngParameters && format === 'png';
        const look = { longer: pixels, format, quality, isTransparent, isTrimmed, padding, hasParameters };
        showings.push({ row, side, density, look });
      }
    }
  }
  return showings;
}

const tooFewPixels = ({ id, width, height }: ManifestRow, side: number, density: number): UserError =>
  new UserError(
    `${id}: expected an image of ${side * density} pixels or more for a side of ${side} at ${density}x, found ${width}×${height}: choose a smaller side or ` +
      'density, or render it larger',
  );

const SOFTWARE = `${project.name} ${project.version}`;

/** A digest of everything that decides a file. A copy does not depend on the version that exports it. */
export const fromOf = ({ row, look }: Showing, isCopy: boolean, signedBy: string | null): string =>
  digestOf({
    picture: copyDigest(row),
    ...(!isCopy && { look, software: SOFTWARE }),
    ...(signedBy !== null && { signedBy }),
  });
