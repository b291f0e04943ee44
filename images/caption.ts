import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Pixels } from './encode.ts';
import { escapeXml } from './xml.ts';

/** Included, because slim machines have no fonts. Scripts that it lacks come from the machine's fonts, if it has any. */
const FONT_FILE = fileURLToPath(new URL('./fonts/NotoSans-Regular.ttf', import.meta.url));
const DPI = 96;
/** Ascent and descent of Noto Sans, in font sizes. */
const LINE_PITCH = 1.362;

/** Sizes in pixels, colours in CSS syntax. */
export type CaptionStyle = { width: number; fontSize: number; lines: number; colour: string; background: string };

export const captionHeight = ({ fontSize, lines }: CaptionStyle): number => Math.floor(fontSize * lines * LINE_PITCH);

/**
 * Draws text wrapped at the style's width, which a letter may overhang by a pixel or two. Extra lines are cut off; `null` if
 * there is nothing to draw.
 */
export async function drawCaption(text: string, style: CaptionStyle): Promise<Pixels | null> {
  const oneLine = text.replace(/\s+/g, ' ').trim();
  if (oneLine === '') return null;
  const { data, info } = await sharp({
    text: {
      text: `<span foreground="${style.colour}">${escapeXml(oneLine)}</span>`,
      font: `Noto Sans ${(style.fontSize * 72) / DPI}`,
      fontfile: FONT_FILE,
      width: style.width,
      dpi: DPI,
      wrap: 'word-char',
      rgba: true,
    },
  })
    .flatten({ background: style.background })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const height = Math.min(info.height, captionHeight(style));
  return { rgb: data.subarray(0, info.width * height * 3), width: info.width, height };
}
