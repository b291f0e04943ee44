import { expect, test } from 'vitest';
import { audited } from '../../records/audit.ts';
import { folderStore } from '../activities/rendering.ts';
import { jsonLines } from '../e2e/command-line.ts';
import { runHere } from './run-here.ts';

test('"audit" shows the first of very many removed batches in its table, and all of them with --json', async () => {
  const store = await folderStore();
  const batches = Array.from({ length: 1_000 }, (_, number) => `night-${number}`).join(' ');
  await audited(store, { action: 'forget', details: { batches, rows: 3 } }, async () => {});
  const { stdout } = await runHere(['audit', '--store', store.url]);
  expect(stdout).toMatch(/ {2}forget .* batches=night-0 night-1 .{150,200}… rows=3\n/);
  const lines = jsonLines(await runHere(['audit', '--store', store.url, '--json']));
  expect(lines).toMatchObject([{ details: { batches, rows: 3 } }]);
});

test('"audit --batch" also shows actions that removed the batch among others, and only those', async () => {
  const store = await folderStore();
  await audited(store, { action: 'forget', details: { batches: 'night-1 night-2', rows: 3 } }, async () => {});
  await audited(store, { action: 'clean' }, async (tell) => tell({ batches: 2, batchNames: 'night-2 night-3' }));
  const actions = async (batch: string) =>
    jsonLines(await runHere(['audit', '--store', store.url, '--batch', batch, '--json']));
  expect(await actions('night-1')).toMatchObject([{ action: 'forget' }]);
  expect(await actions('night-2')).toMatchObject([{ action: 'forget' }, { action: 'clean' }]);
  expect(await actions('night')).toEqual([]);
});
