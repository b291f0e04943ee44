import sharp, { type Sharp } from 'sharp';
import { CannotShow } from './cannot-show.ts';
import { cutOut } from './cut-out/cut-out.ts';
import { type Look, sizeIn } from './look.ts';

/** A picture in a look: sRGB rows from the top, with an alpha channel if the look is transparent. */
export type Sprite = {
  pixels: Buffer;
  channels: 3 | 4;
  width: number;
  height: number;
  /** Its place in the untrimmed picture, and that picture's size. */
  source: { left: number; top: number; width: number; height: number };
  /** Whether it was cut out of a background that is hard to distinguish from its edges. */
  isUnclear: boolean;
};

/** Of 255: how far the background of a picture that is not cut out may differ from its corner's colour. */
const OPAQUE_THRESHOLD = 30;

/** Of 255: resizing leaves ripples less opaque than this, which are invisible. */
const CUT_THRESHOLD = 10;

/**
 * Resizes a picture for a look, and cuts it out and trims it if the look requires that.
 *
 * @throws CannotShow if nothing stands out from an even background
 */
export async function spriteOf(file: Uint8Array, look: Look): Promise<Sprite> {
  const whole = await rawOf(sharp(file).toColourspace('srgb').removeAlpha());
  const shown = look.isTransparent ? withoutBackground(whole) : whole;
  const size = sizeIn(look, whole);
  const isResized = size.width !== shown.width || size.height !== shown.height;
  const sized = isResized ? await rawOf(imageOf(shown).resize({ ...size, fit: 'fill' })) : shown;
  return { ...(look.isTrimmed ? await trimmed(sized) : sized), isUnclear: shown.isUnclear };
}

/** The sprite as a sharp image, for further processing. */
export const imageOf = ({ pixels, width, height, channels }: Sprite): Sharp =>
  sharp(pixels, { raw: { width, height, channels } });

function withoutBackground({ pixels, width, height, source }: Sprite): Sprite {
  const cut = cutOut({ rgb: pixels, width, height });
  if (cut !== null) {
    const { rgba, isUnclear } = cut;
    return { pixels: Buffer.from(rgba.buffer), channels: 4, width, height, source, isUnclear };
  }
  throw new CannotShow(
    'a transparent background: expected a subject that stands out from an even background and touches neither the left nor the right edge; found ' +
      'uneven edges, or no subject',
  );
}

async function rawOf(image: Sharp): Promise<Sprite> {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  const channels = info.channels === 4 ? 4 : 3;
  return { pixels: data, channels, width, height, source: { left: 0, top: 0, width, height }, isUnclear: false };
}

/** Pixels of the longer side below which sharp (0.35.5) throws instead of trimming. */
const LEAST_TO_TRIM = 3;

/** Without `lineArt`, libvips smooths before it searches, and cuts off strokes one pixel wide. */
async function trimmed(sprite: Sprite): Promise<Sprite> {
  if (Math.max(sprite.width, sprite.height) < LEAST_TO_TRIM) return sprite;
  const threshold = sprite.channels === 4 ? CUT_THRESHOLD : OPAQUE_THRESHOLD;
  const { data, info } = await imageOf(sprite)
    .trim({ threshold, lineArt: true })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const { width, height, trimOffsetLeft = 0, trimOffsetTop = 0 } = info;
  const source = { ...sprite.source, left: -trimOffsetLeft, top: -trimOffsetTop };
  return { ...sprite, pixels: data, width, height, source };
}
