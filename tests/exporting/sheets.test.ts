import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import type { Look } from '../../exporting/look.ts';
import { packed, type Waiting } from '../../exporting/sheet.ts';
import { spriteOf } from '../../exporting/sprite.ts';
import { draw, ground } from './drawing.ts';

const spriteSizes = fc.array(fc.tuple(fc.integer({ min: 1, max: 90 }), fc.integer({ min: 1, max: 90 })), {
  minLength: 1,
  maxLength: 60,
});

const sprites = (sizes: readonly (readonly [number, number])[]): Waiting[] =>
  sizes.map(([width, height], at) => ({
    ...{ name: `${at}.png`, png: new Uint8Array(), channels: 4, width, height },
    source: { left: 0, top: 0, width, height },
  }));

test('every sprite has its own place on one of the sheets, with the padding around it', () => {
  fc.assert(
    fc.property(spriteSizes, fc.integer({ min: 0, max: 5 }), (sizes, padding) => {
      const limits = { side: 100, padding };
      const sheets = packed(sprites(sizes), limits);
      expect(sheets.flatMap(({ placed }) => placed.map(({ name }) => name))).toEqual(sizes.map((_, at) => `${at}.png`));
      for (const { width, height, placed } of sheets) {
        expect(Math.max(width, height)).toBeLessThanOrEqual(limits.side);
        for (const [at, one] of placed.entries()) {
          expect(Math.min(one.x, one.y)).toBeGreaterThanOrEqual(padding);
          expect(one.x + one.width + padding).toBeLessThanOrEqual(width);
          expect(one.y + one.height + padding).toBeLessThanOrEqual(height);
          for (const other of placed.slice(at + 1)) {
            const besides = one.x + one.width + padding <= other.x || other.x + other.width + padding <= one.x;
            const below = one.y + one.height + padding <= other.y || other.y + other.height + padding <= one.y;
            expect(besides || below).toBe(true);
          }
        }
      }
    }),
  );
});

test('a sprite that fits on no sheet is reported with its size', () => {
  expect(() => packed(sprites([[97, 10]]), { side: 100, padding: 2 })).toThrow(UserError);
  expect(() => packed(sprites([[97, 10]]), { side: 100, padding: 2 })).toThrow(
    '0.png: expected at most 96 pixels a side on a sheet of 100, found 97×10',
  );
});

const look: Look = {
  ...{
    longer: 128,
    format: 'png',
    quality: null,
    isTransparent: true,
    isTrimmed: true,
    padding: 0,
    hasParameters: false,
  },
};

/** A block with an antenna of one pixel on top. */
const ANTENNA =
  '<rect x="40" y="60" width="40" height="40" fill="#d9383a"/><rect x="60" y="30" width="1" height="30" fill="#d9383a"/>';

const pngOf = async (svg: string): Promise<Buffer> => {
  const { rgb, width, height } = await draw(svg);
  return sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
};

test.each([true, false])('trimming leaves strokes of one pixel whole (cut out: %s)', async (isTransparent) => {
  const { width, height, source } = await spriteOf(await pngOf(ground('#2f6fe0') + ANTENNA), {
    ...look,
    isTransparent,
  });
  expect({ width, height, source }).toEqual({
    width: 40,
    height: 70,
    source: { left: 40, top: 30, width: 128, height: 128 },
  });
});

test('the side is that of the whole image, so trimming after it keeps the scale of all subjects', async () => {
  const png = await pngOf(ground('#2f6fe0') + ANTENNA);
  const { width, height, source } = await spriteOf(png, { ...look, longer: 64 });
  expect(source).toMatchObject({ width: 64, height: 64 });
  // Half of 40×70, and the blur of resizing.
  for (const [pixels, whole] of [
    [width, 40],
    [height, 70],
  ] as const) {
    expect(pixels).toBeGreaterThanOrEqual(whole / 2);
    expect(pixels).toBeLessThanOrEqual(whole / 2 + 2);
  }
});

test('sharp 0.35 with libvips 8.18 cuts such strokes off without the option for line art', async () => {
  const { info } = await sharp(await pngOf(ground('#2f6fe0') + ANTENNA))
    .trim()
    .toBuffer({ resolveWithObject: true });
  expect(info.height).toBeLessThan(45);
});
