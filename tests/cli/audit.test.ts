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
