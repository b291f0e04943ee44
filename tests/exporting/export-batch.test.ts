import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { exportBatch, UserError } from '../../client/index.ts';
import type { Job } from '../../domain/job.ts';
import { readImageMetadata } from '../../images/index.ts';
import type { ObjectStore } from '../../store/index.ts';
import { writeSampleBatch } from '../review-page/sample-batch.ts';
import { drawnBatch, endBatch } from './drawn-batch.ts';
import { emptyPlace, filesIn, picture, whole } from './places.ts';

async function decisionsFile(jobs: readonly Job[], decisions: Record<string, string>): Promise<string> {
  const file = `${await emptyPlace()}.csv`;
  const rows = jobs.map(({ id, renderKey }) => `${id},${renderKey},${decisions[id] ?? ''}\n`);
  await writeFile(file, `id,render_key,decision\n${rows.join('')}`);
  return file;
}

const folderOf = (store: ObjectStore): string => fileURLToPath(store.url);

describe('an export', () => {
  it("writes the batch's own copies of the approved pictures, named by a template", async () => {
    const { store, to, jobs } = await whole();
    const approved = await decisionsFile(jobs, { fox: 'approved', owl: 'rejected' });
    const name = '{category}/{id}-{seed}.{ext}';
    const done = await exportBatch('spring', { store: store.url, to, approved, name });
    expect(done).toMatchObject({
      pictures: 1,
      leftOut: { rejected: 1, undecided: 1, withoutImage: 0 },
      written: ['animals/fox-7.png'],
    });
    expect(await filesIn(to)).toEqual(['animals/fox-7.png', 'export.json']);
    expect(await readFile(join(to, 'animals/fox-7.png'))).toEqual(
      await readFile(join(folderOf(store), 'batches/spring/fox.png')),
    );
    // Writable for people, unlike what batches share.
    expect((await stat(join(to, 'animals/fox-7.png'))).mode & 0o200).toBe(0o200);
  });

  it('uses the decisions given to retries by default, and says what to do if there are none', async () => {
    const { store, to, jobs } = await whole();
    await expect(exportBatch('spring', { store: store.url, to })).rejects.toThrow(
      /expected a review, found none: .*--approved decisions\.csv.*--all/s,
    );
    const table = await readFile(await decisionsFile(jobs, { cup: 'approved' }));
    await store.create(`batches/spring/_catalog/decisions-${'a'.repeat(12)}.csv`, table, 'text/csv');
    expect(await exportBatch('spring', { store: store.url, to })).toMatchObject({ written: ['cup.png'] });
  });

  it('says what to do about an empty file of decisions', async () => {
    const { store, to } = await whole();
    const approved = `${await emptyPlace()}.csv`;
    await writeFile(approved, '\ufeff\r\n');
    await expect(exportBatch('spring', { store: store.url, to, approved })).rejects.toThrow(
      /assets\.csv: expected decisions, found an empty file\. Approve or reject images on the batch's page/,
    );
  });

  it("reads decisions from Excel's CSV, in Windows-1252", async () => {
    const { store, to, jobs } = await whole();
    const approved = `${await emptyPlace()}.csv`;
    const table = (decision: string): Buffer =>
      Buffer.from(
        `id;render_key;decision;note\r\n${jobs[0]!.id};${jobs[0]!.renderKey};${decision};Größe\r\n`,
        'latin1',
      );
    await writeFile(approved, table('schön'));
    await expect(exportBatch('spring', { store: store.url, to, approved })).rejects.toThrow(/found "schön"/);
    await writeFile(approved, table('approved'));
    expect(await exportBatch('spring', { store: store.url, to, approved })).toMatchObject({ pictures: 1 });
  });

  it('says what to do about a batch that does not exist', async () => {
    const { store, to } = await whole();
    await expect(exportBatch('sprung', { store: store.url, to, all: true })).rejects.toThrow(
      /batch sprung: expected a batch of that name in .*, found none\. Check --store; "npx pixart-batch list" shows/,
    );
  });

  it('ignores decisions about another picture of the same id', async () => {
    const { store, to, jobs } = await whole();
    const others = jobs.map((job) => ({ ...job, renderKey: 'f'.repeat(64) }));
    const approved = await decisionsFile(others, { fox: 'approved' });
    await expect(exportBatch('spring', { store: store.url, to, approved })).rejects.toThrow(
      /assets\.csv: expected at least one row .* found other images/,
    );
  });

  it.each([{ sheet: 'icons' }, { name: '{category}/{id}.{ext}' }, { dryRun: true }])(
    'is refused if nothing was approved, and leaves the earlier one: %j',
    async (changes) => {
      const { store, to, jobs } = await whole();
      const request = { store: store.url, to: `${to}.zip` };
      await exportBatch('spring', { ...request, all: true });
      const before = await readFile(request.to);
      const approved = await decisionsFile(jobs, { fox: 'rejected', owl: 'rejected' });
      const refused = exportBatch('spring', { ...request, ...changes, approved });
      await expect(refused).rejects.toThrow(UserError);
      await expect(refused).rejects.toThrow(/found none approved/);
      expect(await readFile(request.to)).toEqual(before);
    },
  );

  it('is refused if no row has an image', async () => {
    const { store, to } = await whole();
    await writeSampleBatch(store, 'bare', [{ outcome: 'failed' }], [Buffer.from('of another')]);
    await endBatch(store, 'bare');
    await expect(exportBatch('bare', { store: store.url, to, all: true })).rejects.toThrow(
      /found none: none of its rows/,
    );
  });

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

  it('writes a file for each side, density and format, with the same bytes every time', async () => {
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

  it('uses the unscaled picture for the largest density if no side is requested', async () => {
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

  it("keeps a picture's metadata", async () => {
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

  it('does not trim a picture that is too small for it', async () => {
    const { store, to } = await whole();
    const request = { store: store.url, to, all: true, name: '{side}/{id}.{ext}', sides: [1, 2, 3], trim: true };
    expect(await exportBatch('spring', request)).toMatchObject({ unmade: [] });
    const { width, height } = await sharp(join(to, '2/fox.png')).metadata();
    expect({ width, height }).toEqual({ width: 2, height: 2 });
  });

  it('puts parameters into PNG files only', async () => {
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
