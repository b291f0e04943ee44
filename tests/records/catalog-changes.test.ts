import { expect, it } from 'vitest';
import { planCatalog } from '../../catalog/plan-catalog.ts';
import { changesText } from '../../domain/change-counts.ts';
import type { Job } from '../../domain/job.ts';
import { CatalogChanges } from '../../records/catalog-changes.ts';
import { manifestRow } from '../../records/manifest-table.ts';

const OPTIONS = {
  file: 'catalog.csv',
  format: 'csv' as const,
  columns: {},
  defaults: { size: '256' as const, format: 'png' as const, quality: null },
  bundle: { name: 'sigma', digest: 'ab'.repeat(32), sizes: ['256' as const], defaults: { steps: 20, guidance: 4 } },
  pipelineVersion: 1,
};

async function jobs(text: string, changes: Partial<typeof OPTIONS> = {}): Promise<Job[]> {
  const { shards } = await planCatalog([Buffer.from(text)], { ...OPTIONS, ...changes });
  return shards.flatMap((shard) => shard.jobs);
}

const before = await jobs('id,prompt,seed,note\nfox,a fox,1,x\nowl,an owl,2,x\nhen,a hen,3,x\n');
const rows = before.map((job) => manifestRow(job, undefined));

function compare(now: Job[]) {
  const changes = new CatalogChanges('monday', new Map(rows.map((row) => [row.id, row])));
  for (const job of now) changes.add(job);
  return {
    counts: changes.counts,
    lines: Buffer.concat([...changes.csv()])
      .toString()
      .trim()
      .split('\r\n')
      .slice(1),
  };
}

it('distinguishes changed, added and removed rows from those whose render key is the same', async () => {
  const now = await jobs('id,prompt,seed,note\nhen,a hen,3,another note\nowl,a barn owl,7,x\nbee,=a bee,4,x\n');
  const { counts, lines } = compare(now);
  expect(changesText(counts)).toBe('since monday: 1 changed, 1 new, 1 gone, 1 unchanged');
  expect(lines).toEqual([
    '"changed","owl","prompt","an owl","a barn owl"',
    '"changed","owl","seed","2","7"',
    `"added","bee","","","'=a bee"`,
    '"removed","fox","","a fox",""',
  ]);
});

it('reports a change of the model if no parameter of a row changed', async () => {
  const { counts, lines } = compare(
    await jobs('id,prompt,seed\nfox,a fox,1\nowl,an owl,2\nhen,a hen,3\n', {
      bundle: { ...OPTIONS.bundle, digest: 'cd'.repeat(32) },
    }),
  );
  expect(counts).toEqual({ since: 'monday', changed: 3, added: 0, removed: 0, unchanged: 0 });
  expect(lines[0]).toBe('"changed","fox","model or format","",""');
});
