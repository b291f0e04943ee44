import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exportBatch, UserError } from '../../client/index.ts';
import type { Job } from '../../domain/job.ts';
import { writeSampleBatch } from '../review-page/sample-batch.ts';
import { endBatch } from './drawn-batch.ts';
import { emptyPlace, filesIn, folderOf, whole } from './places.ts';

async function decisionsFile(jobs: readonly Job[], decisions: Record<string, string>): Promise<string> {
  const file = `${await emptyPlace()}.csv`;
  const rows = jobs.map(({ id, renderKey }) => `${id},${renderKey},${decisions[id] ?? ''}\n`);
  await writeFile(file, `id,render_key,decision\n${rows.join('')}`);
  return file;
}

describe('an export of approved images', () => {
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
});
