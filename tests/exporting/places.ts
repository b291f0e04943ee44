import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Job } from '../../domain/job.ts';
import type { ObjectStore } from '../../store/index.ts';
import { folderStore } from '../activities/rendering.ts';
import { draw, ground } from './drawing.ts';
import { type Drawn, drawnBatch } from './drawn-batch.ts';

export const picture = async (id: string, colour: string, changes: Drawn['changes'] = {}): Promise<Drawn> => ({
  id,
  pixels: await draw(`${ground('#2f6fe0')}<circle cx="64" cy="64" r="30" fill="${colour}"/>`, 256),
  changes: { prompt: `${id} ${colour}`, ...changes },
});

export const three = async (): Promise<Drawn[]> => [
  await picture('fox', '#ff8020', { metadata: { category: 'animals' } }),
  await picture('owl', '#804020', { metadata: { category: 'animals' } }),
  await picture('cup', '#ffffff', { metadata: { category: 'things' } }),
];

export const folderOf = (store: ObjectStore): string => fileURLToPath(store.url);

/** A folder that does not exist yet. */
export async function emptyPlace(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-export-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return join(folder, 'assets');
}

export async function filesIn(place: string): Promise<string[]> {
  const entries = await readdir(place, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(place.length + 1))
    .sort();
}

/** A store with a batch of three pictures, and a place to export them to. */
export async function whole(): Promise<{ store: ObjectStore; to: string; jobs: Job[] }> {
  const store = await folderStore();
  return { store, to: await emptyPlace(), jobs: await drawnBatch(store, 'spring', await three()) };
}
