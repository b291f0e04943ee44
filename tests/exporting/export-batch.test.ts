import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exportBatch, UserError } from '../../client/index.ts';
import { drawnBatch } from './drawn-batch.ts';
import { filesIn, folderOf, picture, whole } from './places.ts';

describe('an export', () => {
  it('writes again only what has changed', async () => {
    const { store, to } = await whole();
    const all = { store: store.url, to, all: true };
    await exportBatch('spring', all);
    await rm(join(to, 'owl.png'));
    expect(await exportBatch('spring', all)).toMatchObject({
      written: ['owl.png'],
      unchanged: ['fox.png', 'cup.png'],
      kept: [],
      left: [],
    });
    const smaller = await exportBatch('spring', { ...all, sides: [64] });
    expect(smaller).toMatchObject({ written: ['fox.png', 'owl.png', 'cup.png'], unchanged: [] });
    const { width } = await sharp(join(to, 'fox.png')).metadata();
    expect(width).toBe(64);
  });

  it("replaces the previous batch's files with the next one's, and leaves the rest", async () => {
    const { store, to } = await whole();
    await drawnBatch(store, 'summer', [await picture('fox', '#20ff20')]);
    await exportBatch('spring', { store: store.url, to, all: true });
    expect(await exportBatch('summer', { store: store.url, to, all: true })).toMatchObject({
      written: ['fox.png'],
      kept: [],
      left: [],
    });
    const sparse = await exportBatch('spring', { store: store.url, to, all: true, name: 'x-{id}.{ext}' });
    expect(sparse.left.sort()).toEqual(['cup.png', 'owl.png']);
    expect(await filesIn(to)).toContain('cup.png');
  });

  it('never replaces a file that it did not write, or that was changed since', async () => {
    const { store, to } = await whole();
    await mkdir(to);
    await writeFile(join(to, 'fox.png'), 'mine');
    const first = await exportBatch('spring', { store: store.url, to, all: true });
    expect(first).toMatchObject({ written: ['owl.png', 'cup.png'], kept: ['fox.png'] });
    await writeFile(join(to, 'owl.png'), 'retouched');
    const second = await exportBatch('spring', { store: store.url, to, all: true });
    expect(second).toMatchObject({ written: [], unchanged: ['cup.png'] });
    expect(second.kept.sort()).toEqual(['fox.png', 'owl.png']);
    expect(await readFile(join(to, 'fox.png'), 'utf8')).toBe('mine');
    expect(await readFile(join(to, 'owl.png'), 'utf8')).toBe('retouched');
  });

  it('continues after an export that was killed before it wrote its record', async () => {
    const { store, to } = await whole();
    const request = { store: store.url, to, all: true, transparent: true };
    await exportBatch('spring', request);
    await rm(join(to, 'export.json'));
    expect(await exportBatch('spring', request)).toMatchObject({
      written: ['fox.png', 'owl.png', 'cup.png'],
      kept: [],
    });
  });

  it('leaves out a missing or changed copy, and exports the others', async () => {
    const { store, to } = await whole();
    const copy = join(folderOf(store), 'batches/spring/owl.png');
    await rm(copy);
    await writeFile(copy, 'damaged');
    await rm(join(folderOf(store), 'batches/spring/cup.png'));
    const { written, unmade } = await exportBatch('spring', { store: store.url, to, all: true });
    expect(written).toEqual(['fox.png']);
    expect(unmade).toEqual([
      { id: 'owl', reason: expect.stringMatching(/owl\.png was changed: "verify"/) },
      { id: 'cup', reason: expect.stringMatching(/cup\.png is missing: "verify"/) },
    ]);
  });

  it('reports what it would do in a dry run, and writes nothing', async () => {
    const { store, to } = await whole();
    const request = { store: store.url, to, all: true };
    expect(await exportBatch('spring', { ...request, dryRun: true })).toMatchObject({
      written: ['fox.png', 'owl.png', 'cup.png'],
    });
    await expect(readdir(to)).rejects.toThrow('ENOENT');
    await exportBatch('spring', request);
    await writeFile(join(to, 'fox.png'), 'mine');
    const foreseen = await exportBatch('spring', { ...request, sides: [8], dryRun: true });
    expect(foreseen).toMatchObject({ written: ['owl.png', 'cup.png'], kept: ['fox.png'], unchanged: [] });
  });

  it('follows no symbolic link out of its place', async () => {
    const { store, to } = await whole();
    await mkdir(`${to}-elsewhere`);
    await mkdir(to);
    await symlink(`${to}-elsewhere`, join(to, 'animals'));
    await expect(
      exportBatch('spring', { store: store.url, to, all: true, name: '{category}/{id}.{ext}' }),
    ).rejects.toThrow(UserError);
    expect(await readdir(`${to}-elsewhere`)).toEqual([]);
  });
});
