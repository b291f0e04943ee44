import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportBatch, UserError } from '../../client/index.ts';
import { drawnBatch } from './drawn-batch.ts';
import { filesIn, folderOf, picture, whole } from './places.ts';

describe('an export writes nothing', () => {
  const refused = async (changes: Partial<Parameters<typeof exportBatch>[1]>): Promise<string> => {
    const { store, to } = await whole();
    const error = await exportBatch('spring', { store: store.url, to, all: true, ...changes }).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    await expect(readdir(to)).rejects.toThrow('ENOENT');
    return (error as Error).message;
  };

  it.each([
    [{ name: '{category}.{ext}' }, /found the same for\s+fox and owl: animals\.png/],
    [{ name: '{colour}.{ext}' }, /expected fields among ext, .*category, found \{colour\}/],
    [{ sides: [32, 64] }, /found the same for\s+fox and fox: fox\.png/],
    [{ sides: [512] }, /fox: expected an image of 512 pixels or more for a side of 512 at 1x, found 256×256/],
    [{ transparent: true, formats: ['jpeg'] as const }, /found jpeg, which has none/],
    [{ pngParameters: true, formats: ['webp', 'jpeg'] as const }, /expected png among .*, found only webp, jpeg/],
    [{ quality: 80 }, /quality: expected webp, avif or jpeg among .*, found only png/],
    [{ quality: 80, sheet: 'icons' }, /quality: .* found only png/],
    [{ sides: [] }, /sides: expected at least one/],
    [{ densities: [] }, /densities: expected at least one/],
    [{ formats: [] }, /formats: expected at least one/],
    [{ sheet: 'a/../b' }, /expected a plain name/],
    [{ sheet: 'export' }, /the record of exports/],
    [{ sheetSide: 512 }, /expected a sheet with it/],
    [{ approved: 'x.csv' }, /found both/],
    [{ to: 'gs://bucket/x.zip' }, /zip file in a folder on this machine/],
    [{ to: 'file://host/x.zip' }, /expected a place on this machine.*found another machine's/],
    [{ name: '{Category}/{id}.{ext}' }, /found \{Category\}; did you mean \{category\}\?/],
    [{ name: '{categorie}/{id}.{ext}' }, /did you mean \{category\}\?/],
  ])('for the invalid request %j', async (changes, message) => expect(await refused(changes)).toMatch(message));

  it('into the store itself', async () => {
    const { store } = await whole();
    for (const to of [store.url, `${store.url}/batches/spring`]) {
      await expect(exportBatch('spring', { store: store.url, to, all: true })).rejects.toThrow(/outside the store/);
    }
  });

  it('into the store by way of a name, from a folder around it or through a link', async () => {
    const { store, to } = await whole();
    const [parent, folder] = [join(folderOf(store), '..'), basename(folderOf(store))];
    const before = await filesIn(folderOf(store));
    await mkdir(to);
    await symlink(folderOf(store), join(to, 'link'));
    const into: [place: string, name: string][] = [
      [parent, `${folder}/batches/spring/{id}.{ext}`],
      [to, 'link/batches/spring/{id}.{ext}'],
    ];
    for (const [place, name] of into) {
      for (const dryRun of [true, false]) {
        const refused = exportBatch('spring', { store: store.url, to: place, name, all: true, dryRun });
        await expect(refused).rejects.toThrow(/expected names outside the store .*found one inside it/);
      }
    }
    expect(await filesIn(folderOf(store))).toEqual(before);
  });

  it('into the store through a link to it', async () => {
    const { store, to } = await whole();
    await symlink(folderOf(store), to);
    const before = await filesIn(folderOf(store));
    for (const place of [to, join(to, 'batches/spring/new'), join(to, 'spring.zip')]) {
      await expect(exportBatch('spring', { store: store.url, to: place, all: true })).rejects.toThrow(
        /outside the store/,
      );
    }
    await expect(exportBatch('spring', { store: to, to: folderOf(store), all: true })).rejects.toThrow(
      /outside the store/,
    );
    expect(await filesIn(folderOf(store))).toEqual(before);
  });

  it('into the store through a link to a folder that does not exist yet', async () => {
    const { store, to } = await whole();
    await symlink(join(folderOf(store), 'new'), to);
    const before = await filesIn(folderOf(store));
    await expect(exportBatch('spring', { store: store.url, to, all: true })).rejects.toThrow(/outside the store/);
    expect(await filesIn(folderOf(store))).toEqual(before);
  });

  it('if a file of somebody else has the name of the record', async () => {
    const { store, to } = await whole();
    await mkdir(to);
    await writeFile(join(to, 'export.json'), '{"mine": true}');
    await expect(exportBatch('spring', { store: store.url, to, all: true })).rejects.toThrow(
      /expected the record of earlier exports/,
    );
    expect(await filesIn(to)).toEqual(['export.json']);
  });

  it('for a transparent export of a bundle with unknown backgrounds', async () => {
    const { store, to } = await whole();
    await drawnBatch(store, 'photos', [await picture('fox', '#fff')], {
      bundle: { name: 'sigma', digest: 'c'.repeat(64) },
    });
    await expect(exportBatch('photos', { store: store.url, to, all: true, transparent: true })).rejects.toThrow(
      /found one of sigma/,
    );
  });
});
