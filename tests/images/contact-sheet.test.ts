import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { MAX_SHEET_IMAGES, makeContactSheet, type SheetImage } from '../../images/index.ts';

const colours = [
  [200, 40, 40],
  [40, 160, 40],
  [40, 40, 200],
] as const;

const file = ([width, height]: readonly [number, number], [r, g, b]: readonly [number, number, number]) =>
  sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .png()
    .toBuffer();

async function decode(sheet: Uint8Array) {
  const { data, info } = await sharp(sheet).raw().toBuffer({ resolveWithObject: true });
  const at = (x: number, y: number) => [...data.subarray((y * info.width + x) * 3, (y * info.width + x) * 3 + 3)];
  return { ...info, at };
}

/** Top left of a cell's picture area, as the sheet is laid out. */
const cellAt = (index: number) => ({
  x: 16 + (index % 8) * 272,
  y: 60 + Math.floor(index / 8) * (256 + 6 + 17 + 35 + 16),
});

const isNear = (found: number[], expected: readonly number[]) =>
  found.every((value, channel) => Math.abs(value - expected[channel]!) < 12);
const isEmpty = (found: number[]) => isNear(found, [244, 244, 244]);

describe('a contact sheet', () => {
  test('shows the images in order, eight to a row, each within its cell', async () => {
    const shapes: [number, number][] = [
      [300, 300],
      [400, 100],
      [20, 30],
    ];
    const images: SheetImage[] = Array.from({ length: 10 }, (_, index) => ({
      id: `id-${index}`,
      caption: `image ${index}`,
      read: () => file(shapes[index % 3]!, colours[index % 3]!),
    }));
    const sheet = await decode(await makeContactSheet({ title: 'Batch b', images, total: 10 }));
    expect([sheet.width, sheet.height, sheet.format]).toEqual([16 + 8 * 272, 60 + 2 * 330, 'raw']);
    for (const [index] of images.entries()) {
      const { x, y } = cellAt(index);
      expect(sheet.at(x + 10, y + 250)).toSatisfy((found: number[]) => isNear(found, colours[index % 3]!));
      expect(sheet.at(x + 262, y + 250)).toSatisfy(isEmpty);
    }
    const { x, y } = cellAt(2);
    expect(sheet.at(x + 40, y + 250)).toSatisfy(isEmpty);
  });

  test('writes the id below its image, and the caption below that', async () => {
    const ink = async (caption: string, id = '', top = 17, height = 35) => {
      const images = [{ id, caption, read: () => file([256, 256], colours[0]) }];
      const { data, info } = await sharp(await makeContactSheet({ title: '', images, total: 1 }))
        .extract({ left: 16, top: 60 + 256 + 6 + top, width: 256, height })
        .greyscale()
        .raw()
        .toBuffer({ resolveWithObject: true });
      return data.reduce((dark, value) => dark + (value < 160 ? 1 : 0), 0) / info.channels;
    };
    expect(await ink('')).toBe(0);
    const short = await ink('lantern');
    expect(short).toBeGreaterThan(50);
    expect(await ink('a lantern & <b>two</b> lanterns')).toBeGreaterThan(2 * short);
    expect(await ink('', 'lantern-1')).toBe(0);
    expect(await ink('', 'lantern-1', 0, 17)).toBeGreaterThan(50);
    expect(await ink('', 'lantern-1-of-a-whole-street-of-lanterns', 0, 17)).toBeGreaterThan(100);
  });

  test('reads four images at a time, and none beyond the limit', { timeout: 240_000 }, async () => {
    const picture = await file([8, 8], colours[1]);
    let [open, most, reads] = [0, 0, 0];
    const read = async () => {
      most = Math.max(most, ++open);
      reads++;
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return picture;
    };
    const images = Array.from({ length: MAX_SHEET_IMAGES + 30 }, () => ({ id: '', caption: '', read }));
    const sheet = await decode(await makeContactSheet({ title: 'Batch b', images, total: 5000 }));
    expect([most, reads]).toEqual([4, MAX_SHEET_IMAGES]);
    expect(sheet.height).toBe(60 + 25 * 330);
  });

  test('fails if an image cannot be read', async () => {
    const broken = { id: 'x', caption: 'x', read: async () => Buffer.from('no image') };
    await expect(makeContactSheet({ title: 'b', images: [broken], total: 1 })).rejects.toThrow(/unsupported image/);
  });
});
