import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import type { Pixels } from './encode.ts';
import { escapeXml } from './xml.ts';

/** Shipped, as slim machines have no fonts at all. Scripts that it lacks come from the machine's fonts where it has some. */
const FONT_FILE = fileURLToPath(new URL('./fonts/NotoSans-Regular.ttf', import.meta.url));
const DPI = 96;
/** Ascent and descent of Noto Sans, in font sizes. */
const LINE_PITCH = 1.362;

/** Sizes in pixels, colours as CSS writes them. */
export type CaptionStyle = { width: number; fontSize: number; lines: number; colour: string; background: string };

export const captionHeight = ({ fontSize, lines }: CaptionStyle): number => Math.floor(fontSize * lines * LINE_PITCH);

/**
 * Text broken into lines of the style's width, which a letter may overhang by a pixel or two. Lines beyond the last are
 * cut off; `null` where there is nothing to draw.
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
