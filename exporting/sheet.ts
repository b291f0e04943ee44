import potpack from 'potpack';
import sharp from 'sharp';
import { UserError } from '../domain/user-error.ts';
import { imageOf, type Sprite } from './sprite.ts';

/** A sprite that waits for its place, compressed so that thousands of them fit into memory. */
export type Waiting = { name: string; png: Uint8Array } & Omit<Sprite, 'pixels' | 'isUnclear'>;

/** A sprite's place on its sheet. */
export type Placed = Waiting & { x: number; y: number };

export type Sheet = { width: number; height: number; placed: Placed[] };

/** A sheet's limits in pixels: its longer side, and the padding between and around sprites. */
export type SheetLimits = { side: number; padding: number };

/** The maximum number of sheets of one density. */
const MOST_SHEETS = 64;

export async function waiting(name: string, { pixels, ...sprite }: Sprite): Promise<Waiting> {
  const image = imageOf({ pixels, ...sprite });
  return { name, ...sprite, png: await image.png({ compressionLevel: 1, adaptiveFiltering: true }).toBuffer() };
}

/**
 * Places sprites on as few sheets as possible, in the given order, so that those of one folder are together.
 *
 * @throws UserError if one is larger than a sheet, or there are too many for all sheets
 */
export function packed(sprites: readonly Waiting[], limits: SheetLimits): Sheet[] {
  const most = limits.side - 2 * limits.padding;
  for (const { name, width, height } of sprites) {
    if (Math.max(width, height) <= most) continue;
    throw new UserError(
      `${name}: expected at most ${most} pixels a side on a sheet of ${limits.side}, found ${width}×${height}: choose a smaller --side, or a larger --sheet-side`,
    );
  }
  const sheets: Sheet[] = [];
  for (let from = 0; from < sprites.length; from += sheets.at(-1)!.placed.length) {
    if (sheets.length === MOST_SHEETS) {
      throw new UserError(
        `sprite sheets: expected at most ${MOST_SHEETS}, found more: choose a smaller --side, a larger --sheet-side or fewer images`,
      );
    }
    sheets.push(fullestSheet(sprites.slice(from), limits));
  }
  return sheets;
}

/** A sheet with as many of the first sprites as fit. */
function fullestSheet(sprites: readonly Waiting[], limits: SheetLimits): Sheet {
  let [fits, tooMany] = [1, sprites.length + 1];
  for (let tried = sprites.length; tooMany - fits > 1; tried = (fits + tooMany) >> 1) {
    const { width, height } = sheetOf(sprites.slice(0, tried), limits);
    if (Math.max(width, height) <= limits.side) fits = tried;
    else tooMany = tried;
  }
  return sheetOf(sprites.slice(0, fits), limits);
}

function sheetOf(sprites: readonly Waiting[], { padding }: SheetLimits): Sheet {
  const boxes = sprites.map((sprite) => ({
    sprite,
    w: sprite.width + padding,
    h: sprite.height + padding,
    x: 0,
    y: 0,
  }));
  const { w, h } = potpack([...boxes]);
  const placed = boxes.map(({ sprite, x, y }) => ({ ...sprite, x: x + padding, y: y + padding }));
  return { width: w + padding, height: h + padding, placed };
}

/** Draws a sheet, transparent between its sprites. */
export async function drawSheet({ width, height, placed }: Sheet): Promise<Buffer> {
  const rgba = Buffer.alloc(width * height * 4);
  for (const { png, x, y, ...sprite } of placed) {
    const pixels = await sharp(png).ensureAlpha().raw().toBuffer();
    for (let row = 0; row < sprite.height; row++) {
      const line = pixels.subarray(row * sprite.width * 4, (row + 1) * sprite.width * 4);
      rgba.set(line, ((y + row) * width + x) * 4);
    }
  }
  return rgba;
}
