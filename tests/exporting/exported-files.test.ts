import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exportBatch } from '../../client/index.ts';
import { readImageMetadata } from '../../images/index.ts';
import { filesIn, folderOf, whole } from './places.ts';

describe('exported files', () => {
  it('are one for each side, density and format, with the same bytes every time', async () => {
    const { store, to } = await whole();
    const request = {
      ...{ store: store.url, all: true, name: '{side}/{id}.{ext}', transparent: true, trim: true, padding: 3 },
      ...{ sides: [16, 64], densities: [2], formats: ['png', 'webp', 'avif'] as const },
    };
    await exportBatch('spring', { ...request, to });
    await exportBatch('spring', { ...request, to: `${to}-2` });
    const files = await filesIn(to);
    expect(files).toHaveLength(3 * 2 * 3 + 1);
    expect(files).toContain('64/fox@2x.avif');
    for (const file of files) expect(await readFile(join(`${to}-2`, file))).toEqual(await readFile(join(to, file)));
    const { width, height, hasAlpha } = await sharp(join(to, '64/fox@2x.webp')).metadata();
    // A circle of 60 pixels, a soft one on each side, and the padding.
    expect({ width, height, hasAlpha }).toEqual({ width: 68, height: 68, hasAlpha: true });
  });

  it('have the unscaled picture at the largest density if no side is requested', async () => {
    const { store, to } = await whole();
    await exportBatch('spring', { store: store.url, to, all: true, densities: [1, 3] });
    const widths = await Promise.all(
      ['fox.png', 'fox@3x.png'].map(async (file) => (await sharp(join(to, file)).metadata()).width),
    );
    expect(widths).toEqual([85, 256]);
    expect(await readFile(join(to, 'fox@3x.png'))).toEqual(
      await readFile(join(folderOf(store), 'batches/spring/fox.png')),
    );
  });

  it("keep the picture's metadata", async () => {
    const { store, to, jobs } = await whole();
    await exportBatch('spring', {
      store: store.url,
      to,
      all: true,
      sides: [32],
      formats: ['jpeg', 'webp'],
      quality: 70,
    });
    for (const file of ['fox.jpg', 'fox.webp']) {
      const told = await readImageMetadata(await readFile(join(to, file)));
      expect(told?.renderKey).toBe(jobs[0]!.renderKey);
    }
  });

  it('are not trimmed if the picture is too small for it', async () => {
    const { store, to } = await whole();
    const request = { store: store.url, to, all: true, name: '{side}/{id}.{ext}', sides: [1, 2, 3], trim: true };
    expect(await exportBatch('spring', request)).toMatchObject({ unmade: [] });
    const { width, height } = await sharp(join(to, '2/fox.png')).metadata();
    expect({ width, height }).toEqual({ width: 2, height: 2 });
  });

  it('have parameters only if they are PNG', async () => {
    const { store, to } = await whole();
    const request = { store: store.url, all: true, sides: [32], formats: ['png', 'webp', 'jpeg', 'avif'] as const };
    await exportBatch('spring', { ...request, to, pngParameters: true });
    await exportBatch('spring', { ...request, to: `${to}-2` });
    const { comments } = await sharp(join(to, 'fox.png')).metadata();
    expect(comments).toEqual([{ keyword: 'parameters', text: expect.stringContaining('fox #ff8020') }]);
    for (const file of ['fox.webp', 'fox.jpg', 'fox.avif']) {
      expect(await readFile(join(to, file))).toEqual(await readFile(join(`${to}-2`, file)));
    }
  });
});
