import fc from 'fast-check';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { SLOTS, SPRITE, slotPlace, thumbnailSize } from '../../review-page/format.ts';
import { makeSprite, type SpriteImage, spriteColours, spriteName } from '../../review-page/index.ts';

const side = fc.integer({ min: 1, max: 8_000 });
const key = fc.string({ unit: fc.constantFrom('a', 'b', '0'), minLength: 64, maxLength: 64 });
const slots = fc.array(fc.option(fc.record({ renderKey: key, width: side, height: side })), { maxLength: SLOTS });

describe('a thumbnail', () => {
  test('fits into its square, is never enlarged, and keeps its shape to the pixel', () => {
    fc.assert(
      fc.property(side, side, (width, height) => {
        const small = thumbnailSize(width, height);
        expect(Math.max(small.width, small.height)).toBe(Math.min(SPRITE.cell, Math.max(width, height)));
        const scale = Math.min(1, SPRITE.cell / Math.max(width, height));
        expect(Math.abs(small.width - width * scale)).toBeLessThan(1);
        expect(Math.abs(small.height - height * scale)).toBeLessThan(1);
        expect(Math.min(small.width, small.height)).toBeGreaterThan(0);
      }),
    );
  });

  test('has its own place on its sprite', () => {
    const places = Array.from({ length: SLOTS }, (_, slot) => slotPlace(slot));
    expect(new Set(places.map(({ left, top }) => `${left} ${top}`)).size).toBe(SLOTS);
    for (const { left, top } of places) {
      expect(left % SPRITE.cell).toBe(0);
      expect(left + SPRITE.cell).toBeLessThanOrEqual(SPRITE.columns * SPRITE.cell);
      expect(top + SPRITE.cell).toBeLessThanOrEqual(SPRITE.rows * SPRITE.cell);
    }
  });
});

describe('a sprite', () => {
  test('is named by its pictures and their order', () => {
    fc.assert(
      fc.property(slots, slots, (a, b) => {
        const keys = (images: (SpriteImage | null)[]) =>
          JSON.stringify(images.map((image) => image?.renderKey ?? null));
        expect(spriteName(a) === spriteName(b)).toBe(keys(a) === keys(b));
        expect(spriteName(a)).toMatch(/^sprite-[0-9a-f]{32}\.webp$/);
      }),
    );
  });

  test('has each picture in its slot, with its average colour, also when it is read again', async () => {
    const colours = ['#c02020', '#20c020', '#2020c0'];
    const sizes = [
      [300, 300],
      [500, 100],
      [20, 60],
    ] as const;
    const images = sizes.map(([width, height], index): SpriteImage => ({ renderKey: String(index), width, height }));
    const all = [images[0]!, null, images[1]!, images[2]!, images[0]!, images[1]!];
    const reads: number[] = [];
    const { file, colours: found } = await makeSprite(all, async (slot) => {
      reads.push(slot);
      const { renderKey, width, height } = all[slot]!;
      return sharp({ create: { width, height, channels: 3, background: colours[Number(renderKey)]! } })
        .png()
        .toBuffer();
    });
    expect(reads).toEqual([0, 2, 3, 4, 5]);
    const { data, info } = await sharp(file).raw().toBuffer({ resolveWithObject: true });
    expect([info.width, info.height]).toEqual([5 * SPRITE.cell, 2 * SPRITE.cell]);
    for (const [slot, image] of all.entries()) {
      const { left, top } = slotPlace(slot);
      const at = ((top + 5) * info.width + left + 5) * 3;
      const expected = image === null ? '#808080' : colours[Number(image.renderKey)]!;
      expect(distance([...data.subarray(at, at + 3)], expected)).toBeLessThan(12);
    }
    for (const [slot, image] of all.entries()) {
      if (image === null) expect(found[slot]).toBeNull();
      else expect(distance(parts(found[slot]!), colours[Number(image.renderKey)]!)).toBeLessThan(12);
    }
    expect(await spriteColours(file, all)).toEqual(found);
  });

  test('has an empty slot for an image that is missing or invalid', async () => {
    const images = ['a', 'b'].map((renderKey) => ({ renderKey, width: 10, height: 10 }));
    const { colours } = await makeSprite(images, async (slot) => (slot === 0 ? null : Buffer.from('no image')));
    expect(colours).toEqual([null, null]);
  });
});

const parts = (colour: string): number[] => [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16));

const distance = (found: number[], expected: string): number =>
  Math.max(...parts(expected).map((value, channel) => Math.abs(value - found[channel]!)));
