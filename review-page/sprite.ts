import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { createCanvas, type Pixels, paste } from '../images/index.ts';
import { SLOTS, SPRITE, slotPlace, thumbnailSize } from './format.ts';

/** A picture and its slot; a slot without a picture is `null`. */
export type SpriteImage = { renderKey: string; width: number; height: number };

/** Increase it when sprites are made differently, so that old sprites are not reused. */
const VERSION = 1;

const GREY = 0x80;

/** The name of a sprite with these pictures: the same pictures in the same slots give the same name. */
export function spriteName(slots: readonly (SpriteImage | null)[]): string {
  const keys = slots.map((image) => image?.renderKey ?? null);
  const digest = createHash('sha256')
    .update(JSON.stringify([VERSION, SPRITE, keys]))
    .digest('hex');
  return `sprite-${digest.slice(0, 32)}.webp`;
}

type Sprite = { file: Uint8Array; colours: (string | null)[] };

/**
 * Puts thumbnails on one picture.
 *
 * @param slots at most SLOTS
 * @param read returns the encoded image of a slot, or `null` if it is gone; called for one slot after another
 * @returns the sprite; an image that is gone or cannot be decoded has no colour, and its slot is empty
 */
export async function makeSprite(
  slots: readonly (SpriteImage | null)[],
  read: (slot: number) => Promise<Uint8Array | null>,
): Promise<Sprite> {
  const rows = Math.ceil(Math.min(slots.length, SLOTS) / SPRITE.columns);
  const canvas = createCanvas(SPRITE.columns * SPRITE.cell, rows * SPRITE.cell, GREY);
  const found: (SpriteImage | null)[] = [];
  for (const [slot, image] of slots.entries()) {
    const file = image === null ? null : await read(slot);
    const small = image === null || file === null ? null : await thumbnail(file, image);
    const { left, top } = slotPlace(slot);
    if (small !== null) paste(canvas, small, left, top);
    found.push(small === null ? null : image);
  }
  const { rgb, width, height } = canvas;
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .webp({ quality: 78, effort: 2 })
    .toBuffer();
  // From the file rather than the canvas, so that they are the same when the sprite is reused.
  return { file, colours: await spriteColours(file, found) };
}

/** The average colours of the thumbnails on a sprite. */
export async function spriteColours(
  file: Uint8Array,
  slots: readonly (SpriteImage | null)[],
): Promise<(string | null)[]> {
  const { data, info } = await sharp(file).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const canvas = { rgb: data, width: info.width, height: info.height };
  return slots.map((image, slot) =>
    image === null ? null : averageColour(canvas, slot, thumbnailSize(image.width, image.height)),
  );
}

async function thumbnail(file: Uint8Array, image: SpriteImage): Promise<Pixels | null> {
  const { width, height } = thumbnailSize(image.width, image.height);
  try {
    const { data } = await sharp(file)
      .resize(width, height, { fit: 'fill' })
      .flatten({ background: '#fff' })
      .toColourspace('srgb')
      .raw()
      .toBuffer({ resolveWithObject: true });
    return { rgb: data, width, height };
  } catch {
    // One damaged file must not prevent the page for all the others.
    return null;
  }
}

function averageColour(canvas: Pixels, slot: number, { width, height }: { width: number; height: number }): string {
  const { left, top } = slotPlace(slot);
  const { rgb } = canvas;
  let [red, green, blue] = [0, 0, 0];
  for (let y = top; y < top + height; y++) {
    const from = (y * canvas.width + left) * 3;
    for (let at = from; at < from + width * 3; at += 3) {
      red += rgb[at]!;
      green += rgb[at + 1]!;
      blue += rgb[at + 2]!;
    }
  }
  const hex = (sum: number): string =>
    Math.round(sum / (width * height))
      .toString(16)
      .padStart(2, '0');
  return `#${hex(red)}${hex(green)}${hex(blue)}`;
}
