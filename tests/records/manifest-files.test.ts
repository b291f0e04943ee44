import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { manifestPieces } from '../../records/manifest.ts';
import { newestManifest } from '../../records/manifest-files.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-manifests-'));
  store = await openStore(pathToFileURL(folder).href);
});

afterEach(() => rm(folder, { recursive: true }));

const put = (name: string, round: number, hour: number, lines: string[] = []) =>
  store.create(
    `batches/night/${name}`,
    Buffer.concat([
      ...manifestPieces(
        {
          batch: 'night',
          round,
          state: 'completed',
          bundle: { name: 'says "finishedAt":"9999-01-01T00:00:00.000Z"', digest: 'ab'.repeat(32) },
          startedAt: '2026-01-01T00:00:00.000Z',
          finishedAt: new Date(Date.UTC(2026, 0, 1, hour)).toISOString(),
          totals: { jobs: 0, rendered: 0, reused: 0, failed: 0, cancelled: 0, extraComputations: 0 },
        },
        lines,
        [],
      ),
    ]),
    'application/json',
  );

const newest = async () => (await newestManifest(store, 'night')).jsonl.slice('batches/night/'.length);

it('the one manifest of a batch from an earlier version is the newest', async () => {
  await put('manifest.json', 1, 1);
  expect(await newest()).toBe('manifest.jsonl');
});

it('a batch without a finished round will have its newest manifest under the usual name', async () => {
  await store.create('batches/night-2/manifest-1.json', Buffer.from('{}'), 'application/json');
  expect(await newest()).toBe('manifest.jsonl');
});

it('rounds are ordered by number, and the manifests of one round by which came last', async () => {
  for (const [hour, name] of [
    'manifest-9.json',
    'manifest-10.json',
    'manifest-10-2.json',
    'manifest-2.json',
  ].entries()) {
    await put(name, 1, hour);
  }
  await store.create('batches/night/manifest-11.jsonl', Buffer.from(''), 'application/x-ndjson');
  await store.create('batches/night/manifest-12.json.png', Buffer.from(''), 'image/png');
  expect(await newest()).toBe('manifest-10-2.jsonl');
});

it('an older copy that the store keeps is not the newest', async () => {
  await put('manifest.json', 1, 1);
  await put('manifest-1.json', 1, 1);
  await put('manifest-2.json', 2, 2, ['{}']);
  expect(await newest()).toBe('manifest-2.jsonl');
});

it('a later round written after a temporary downgrade is the newest', async () => {
  await put('manifest-1.json', 1, 1);
  // Of the same length: only the round and the hour differ.
  await put('manifest.json', 2, 2);
  expect(await newest()).toBe('manifest.jsonl');
});
