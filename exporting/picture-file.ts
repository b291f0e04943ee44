import sharp from 'sharp';
import { standardQuality } from '../domain/image-format.ts';
import { encodeAs, hasRoom, toPlainXmp, withPngParameters } from '../images/index.ts';
import project from '../package.json' with { type: 'json' };
import type { ManifestRow } from '../records/manifest-table.ts';
import { CannotShow } from './cannot-show.ts';
import { type Look, leavesPixels } from './look.ts';
import { imageOf, type Sprite, spriteOf } from './sprite.ts';

type Bundle = { name: string; digest: string };

type PictureFile = { data: Uint8Array; isUnclear: boolean };

/**
 * The file that shows a picture in a look: the batch's own copy, byte for byte, if nothing else is requested. The file
 * keeps the copy's metadata, except for a credential, which covers the copy's bytes.
 *
 * @param copy the bytes of the batch's own copy
 * @throws CannotShow
 */
export async function pictureFile(
  copy: Uint8Array,
  row: ManifestRow,
  look: Look,
  bundle: Bundle,
): Promise<PictureFile> {
  const isSigned = row.signed_crc32c !== null;
  // Parameters in a signed file would break its credential.
  const isAsItIs = leavesPixels(look, row) && !(look.hasParameters && isSigned);
  const sprite = isAsItIs ? null : await spriteOf(copy, look);
  const file = sprite === null ? copy : await encoded(sprite, look, await xmpOf(copy));
  const data = look.hasParameters ? withPngParameters(file, parametersOf(row, bundle)) : file;
  return { data, isUnclear: sprite?.isUnclear === true };
}

/** Every copy has XMP; the fallback is for safety. */
const xmpOf = async (copy: Uint8Array): Promise<string> =>
  (await sharp(copy).metadata()).xmp?.toString('utf8') ?? toPlainXmp(`${project.name} ${project.version}`);

async function encoded(sprite: Sprite, { format, quality, padding }: Look, xmp: string): Promise<Uint8Array> {
  if (!hasRoom(format, xmp)) {
    throw new CannotShow('its prompt, which goes into the file, is too long for JPEG: choose png, webp or avif');
  }
  const image = padding === 0 ? imageOf(sprite) : imageOf(sprite).extend(edges(sprite, padding));
  return encodeAs(image, format, quality ?? standardQuality(format), xmp);
}

/** Padding is transparent, or repeats the edges of an opaque picture. */
const edges = ({ channels }: Sprite, padding: number) => ({
  ...{ top: padding, bottom: padding, left: padding, right: padding },
  ...(channels === 4 ? { background: '#00000000' } : { extendWith: 'copy' as const }),
});

const parametersOf = (row: ManifestRow, bundle: Bundle) => ({
  ...{ prompt: row.prompt, negativePrompt: row.negative_prompt, steps: row.steps, guidance: row.guidance },
  ...{ seed: row.seed, width: row.width, height: row.height, bundle },
});
