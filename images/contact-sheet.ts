import sharp from 'sharp';
import { createCanvas, paste } from './canvas.ts';
import { type CaptionStyle, captionHeight, drawCaption } from './caption.ts';
import type { Pixels } from './encode.ts';

/** Enough for an overview; a sheet of a whole night would be too large to open. */
export const MAX_SHEET_IMAGES = 200;

const MAX_COLUMNS = 8;
const CELL = 256;
const GAP = 16;
const GREY = 0xf4;
const background = `#${GREY.toString(16).repeat(3)}`;

const titleStyle = { fontSize: 20, lines: 1, colour: '#222', background };
const idStyle: CaptionStyle = { width: CELL, fontSize: 13, lines: 1, colour: '#111', background };
const captionStyle: CaptionStyle = { ...idStyle, lines: 2, colour: '#555' };
/** About what fits into a caption. */
const CAPTION_CHARACTERS = 76;
const ID_CHARACTERS = 34;
const TITLE_HEIGHT = 28;
/** Reads one image while decoding another, because the batch waits for the sheet. */
const CELLS_AT_ONCE = 4;
const CAPTION_TOP = CELL + 6 + captionHeight(idStyle);
const ROW_HEIGHT = CAPTION_TOP + captionHeight(captionStyle) + GAP;

export type SheetImage = {
  id: string;
  caption: string;
  /** Reads the encoded image; called only when needed, so that few full images are in memory. */
  read: () => Promise<Uint8Array>;
};

type Sheet = {
  title: string;
  /** Images beyond MAX_SHEET_IMAGES are not shown. */
  images: SheetImage[];
  /** How many images the batch has; the title says if the sheet shows fewer. */
  total: number;
};

/**
 * Thumbnails in rows, with id and caption below each, as a WebP image. Memory is bounded by four images and the sheet (40 MB).
 *
 * @throws whatever `read` throws, and Error if the bytes are not an image
 */
export async function makeContactSheet({ title, images, total }: Sheet): Promise<Uint8Array> {
  const shown = images.slice(0, MAX_SHEET_IMAGES);
  const columns = Math.max(1, Math.min(MAX_COLUMNS, shown.length));
  const rows = Math.ceil(shown.length / columns);
  const canvas = createCanvas(GAP + columns * (CELL + GAP), GAP + TITLE_HEIGHT + GAP + rows * ROW_HEIGHT, GREY);
  await pasteTitle(canvas, shown.length < total ? `${title} (first ${shown.length} of ${total} images)` : title);
  const waiting = shown.entries();
  const work = async (): Promise<void> => {
    for (const [index, image] of waiting) {
      const left = GAP + (index % columns) * (CELL + GAP);
      const top = GAP + TITLE_HEIGHT + GAP + Math.floor(index / columns) * ROW_HEIGHT;
      await pasteCell(canvas, image, left, top);
    }
  };
  await Promise.all(Array.from({ length: CELLS_AT_ONCE }, work));
  const { rgb, width, height } = canvas;
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .webp({ quality: 85, effort: 2 })
    .toBuffer();
}

async function pasteTitle(canvas: Pixels, title: string): Promise<void> {
  const drawn = await drawCaption(title, { ...titleStyle, width: canvas.width - 2 * GAP });
  if (drawn) paste(canvas, drawn, GAP, GAP);
}

async function pasteCell(canvas: Pixels, image: SheetImage, left: number, top: number): Promise<void> {
  const small = await thumbnail(await image.read());
  paste(canvas, small, left, top + CELL - small.height);
  const id = await drawCaption(shownId(image.id), idStyle);
  if (id) paste(canvas, id, left, top + CELL + 6);
  const caption = await drawCaption(shorten(image.caption, CAPTION_CHARACTERS), captionStyle);
  if (caption) paste(canvas, caption, left, top + CAPTION_TOP);
}

async function thumbnail(file: Uint8Array): Promise<Pixels> {
  const { data, info } = await sharp(file)
    .resize(CELL, CELL, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { rgb: data, width: info.width, height: info.height };
}

/** Ids in the same folder begin alike, so the front is cut off. */
function shownId(id: string): string {
  const characters = [...id];
  if (!id.includes('/') || characters.length <= ID_CHARACTERS) return shorten(id, ID_CHARACTERS);
  return `…${characters.slice(1 - ID_CHARACTERS).join('')}`;
}

function shorten(text: string, most: number): string {
  const characters = [...text];
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}
