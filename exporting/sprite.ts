import sharp, { type Sharp } from 'sharp';
import { CannotShow } from './cannot-show.ts';
import { cutOut } from './cut-out/cut-out.ts';
import { type Look, sizeIn } from './look.ts';

/** A picture as a look has it: rows from the top, sRGB, with a fourth channel for how opaque a pixel is where the look is transparent. */
export type Sprite = {
  pixels: Buffer;
  channels: 3 | 4;
  width: number;
  height: number;
  /** Where it lies in the picture that was not trimmed, and how large that is. */
  source: { left: number; top: number; width: number; height: number };
  /** Whether it was cut out of a background that its rim can hardly be told from. */
  isUnclear: boolean;
};

/** Of 255: the background of a picture that is not cut out strays so much from the colour of its corner. */
const OPAQUE_THRESHOLD = 30;

/** Of 255: a picture that was made smaller has ripples that are less opaque, which nobody sees. */
const CUT_THRESHOLD = 10;

/**
 * Brings a picture into a look's size, cut out and trimmed where it asks for that.
 *
 * @throws CannotShow where nothing stands out from an even background
 */
export async function spriteOf(file: Uint8Array, look: Look): Promise<Sprite> {
  const whole = await rawOf(sharp(file).toColourspace('srgb').removeAlpha());
  const shown = look.isTransparent ? withoutBackground(whole) : whole;
  const size = sizeIn(look, whole);
  const isResized = size.width !== shown.width || size.height !== shown.height;
  const sized = isResized ? await rawOf(imageOf(shown).resize({ ...size, fit: 'fill' })) : shown;
  return { ...(look.isTrimmed ? await trimmed(sized) : sized), isUnclear: shown.isUnclear };
}

/** For more to be done with it. */
export const imageOf = ({ pixels, width, height, channels }: Sprite): Sharp =>
  sharp(pixels, { raw: { width, height, channels } });

function withoutBackground({ pixels, width, height, source }: Sprite): Sprite {
  const cut = cutOut({ rgb: pixels, width, height });
  if (cut !== null) {
    const { rgba, isUnclear } = cut;
    return { pixels: Buffer.from(rgba.buffer), channels: 4, width, height, source, isUnclear };
  }
  throw new CannotShow(
    'a transparent background: expected a subject that stands out from an even background, which touches neither its left nor its right edge; found ' +
      'other edges, or nothing on them',
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

/** Without `lineArt` libvips smooths before it looks, and cuts off strokes that are a pixel wide. */
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
