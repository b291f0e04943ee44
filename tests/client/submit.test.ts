import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type BatchClient, type Preview, submitBatch } from '../../client/index.ts';
import { options } from '../catalog/planning.ts';

test('the preview for approval reads the store only once, and nothing is written if it is refused', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-submit-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, 'prompt\na fox\nan owl\n');
  const seen: Preview[] = [];
  const request = { catalog, store: path.join(folder, 'out'), bundle: options.bundle };
  // No server is needed before the approval.
  const submitted = submitBatch({} as BatchClient, request, async ({ preview }) => {
    seen.push(await preview(), await preview());
    throw new Error('too many for today');
  });
  await expect(submitted).rejects.toThrow('too many for today');
  expect(seen[0]).toMatchObject({ toRender: 2, stored: 0 });
  expect(seen[1]).toBe(seen[0]);
  expect(await readdir(folder)).toEqual(['catalog.csv']);
});
