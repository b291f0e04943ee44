import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createPlanBatch } from '../../activities/plan-batch.ts';
import { batchInput } from '../../client/request.ts';
import { openStore } from '../../store/index.ts';

const bundle = { name: 'tiny', digest: 'cd'.repeat(32), sizes: ['256' as const], defaults: { steps: 2, guidance: 4 } };

async function planned(rows: Record<string, string>[]) {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-plan-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = join(folder, 'catalog.jsonl');
  await writeFile(catalog, rows.map((row) => JSON.stringify(row)).join('\n'));
  return createPlanBatch(openStore)(batchInput({ catalog, store: join(folder, 'out'), bundle }, 'night'));
}

test('a plan tells which columns its rows carry along', async () => {
  const plan = await planned([
    { prompt: 'a cup', team: 'toys' },
    { prompt: 'a cat', colour: 'red' },
  ]);
  expect(plan).toMatchObject({ jobs: 2, columns: ['team', 'colour'] });
});

test('columns that are too many to travel with the batch are not told, and the batch is planned all the same', async () => {
  const row = (i: number) => ({ prompt: `cup ${i}`, [`column ${i} ${'x'.repeat(200)}`]: 'yes' });
  const plan = await planned(Array.from({ length: 30 }, (_, i) => row(i)));
  expect(plan.jobs).toBe(30);
  expect(plan).not.toHaveProperty('columns');
});
