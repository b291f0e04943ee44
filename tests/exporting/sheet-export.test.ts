import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { exportBatch } from '../../client/index.ts';
import { filesIn, whole } from './places.ts';

const sprites = { all: true, transparent: true, trim: true, sides: [64], densities: [1, 2], sheet: 'icons' };

const atlasAt = async (to: string, name: string) => JSON.parse(await readFile(join(to, name), 'utf8'));

test('an atlas has each sprite’s place on the sheet, and its place in the untrimmed picture', async () => {
  const { store, to } = await whole();
  await exportBatch('spring', { ...sprites, store: store.url, to, name: '{category}/{id}.{ext}' });
  expect(await filesIn(to)).toEqual(['export.json', 'icons.json', 'icons.png', 'icons@2x.json', 'icons@2x.png']);
  for (const [atlas, density] of [
    ['icons', 1],
    ['icons@2x', 2],
  ] as const) {
    const { frames, meta } = await atlasAt(to, `${atlas}.json`);
    expect(Object.keys(frames)).toEqual(['animals/fox.png', 'animals/owl.png', 'things/cup.png']);
    const image = sharp(join(to, meta.image));
    const { width, height } = await image.metadata();
    expect(meta).toMatchObject({
      image: `${atlas}.png`,
      format: 'RGBA8888',
      size: { w: width, h: height },
      scale: String(density),
    });
    const { frame, trimmed, rotated, spriteSourceSize, sourceSize } = frames['animals/fox.png'];
    expect({ trimmed, rotated, sourceSize }).toEqual({
      trimmed: true,
      rotated: false,
      sourceSize: { w: 64 * density, h: 64 * density },
    });
    // A circle in the middle, drawn alike on all sides.
    expect(2 * spriteSourceSize.x + spriteSourceSize.w).toBe(64 * density);
    expect(2 * spriteSourceSize.y + spriteSourceSize.h).toBe(64 * density);
    const { x, y, w, h } = frame;
    const middle = await sharp(join(to, meta.image))
      .extract({ left: x + (w >> 1), top: y + (h >> 1), width: 1, height: 1 })
      .raw()
      .toBuffer();
    expect([...middle]).toEqual([0xff, 0x80, 0x20, 0xff]);
  }
});

test('sprites that do not fit on one sheet go to others, whose atlases name each other', async () => {
  const { store, to } = await whole();
  await exportBatch('spring', { ...sprites, densities: [1], sheetSide: 40, store: store.url, to });
  expect((await filesIn(to)).filter((file) => file.endsWith('.json'))).toEqual([
    'export.json',
    'icons-0.json',
    'icons-1.json',
    'icons-2.json',
  ]);
  const { meta, frames } = await atlasAt(to, 'icons-1.json');
  expect(meta).toMatchObject({ image: 'icons-1.png', related_multi_packs: ['icons-0.json', 'icons-2.json'] });
  expect(Object.keys(frames)).toEqual(['owl.png']);
});

test('sheets are drawn again if a picture has changed, or one of their files is gone', async () => {
  const { store, to } = await whole();
  const request = { ...sprites, store: store.url, to };
  const foreseen = await exportBatch('spring', { ...request, dryRun: true });
  expect(foreseen.written).toEqual(['icons.png', 'icons.json', 'icons@2x.png', 'icons@2x.json']);
  expect((await exportBatch('spring', request)).written).toEqual(foreseen.written);
  expect(await exportBatch('spring', request)).toMatchObject({ written: [] });
  await rm(join(to, 'icons@2x.png'));
  expect(await exportBatch('spring', request)).toMatchObject({
    unchanged: ['icons.json', 'icons.png'],
    written: ['icons@2x.png', 'icons@2x.json'],
  });
  expect(await exportBatch('spring', { ...request, padding: 4 })).toMatchObject({ unchanged: [] });
});
