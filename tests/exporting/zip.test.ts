import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import AdmZip from 'adm-zip';
import { expect, test } from 'vitest';
import { exportBatch, UserError } from '../../client/index.ts';
import { pixartBatch } from '../e2e/command-line.ts';
import { drawnBatch } from './drawn-batch.ts';
import { picture, whole } from './places.ts';

const ready = async () => {
  const { store, to } = await whole();
  return { store, zip: `${to}.zip`, request: { store: store.url, to: `${to}.zip`, all: true, sides: [64] } };
};

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

test('a zip file contains the pictures and a record of them, with the same bytes in every time zone', async () => {
  const { store, zip, request } = await ready();
  const args = ['export', 'spring', '--store', fileURLToPath(store.url), '--to', zip, '--all', '--side', '64'];
  expect(await pixartBatch(args, { TZ: 'Asia/Tokyo' })).toMatchObject({ code: 0 });
  const inTokyo = await readFile(zip);
  await rm(zip);
  expect(await exportBatch('spring', request)).toMatchObject({ written: ['assets.zip'], unmade: [] });
  const made = await readFile(zip);
  expect(made).toEqual(inTokyo);
  const entries = new AdmZip(made).getEntries();
  expect(entries.map(({ entryName }) => entryName)).toEqual(['fox.png', 'owl.png', 'cup.png', 'export.json']);
  const { files } = JSON.parse(entries.at(-1)!.getData().toString());
  for (const entry of entries.slice(0, -1)) expect(files[entry.entryName].sha256).toBe(sha256(entry.getData()));
  expect((await readdir(dirname(zip))).sort()).toEqual(['assets.zip', 'assets.zip.export.json']);
});

test('it is rewritten only if something has changed, and only over itself', async () => {
  const { store, zip, request } = await ready();
  await exportBatch('spring', request);
  const first = await readFile(zip);
  expect(await exportBatch('spring', request)).toMatchObject({ written: [], unchanged: ['assets.zip'] });
  await drawnBatch(store, 'summer', [await picture('fox', '#20ff20')]);
  expect(await exportBatch('summer', { ...request, dryRun: true })).toMatchObject({ written: ['assets.zip'] });
  expect(await readFile(zip)).toEqual(first);
  expect(await exportBatch('summer', request)).toMatchObject({ written: ['assets.zip'] });
  await writeFile(zip, 'mine');
  expect(await exportBatch('spring', request)).toMatchObject({ written: [], kept: ['assets.zip'] });
  expect(await readFile(zip, 'utf8')).toBe('mine');
});

test('one that lacks a picture is rewritten once the picture is there', async () => {
  const { store, request } = await ready();
  const copy = (await store.find('batches/spring/owl.png'))!;
  const bytes = await copy.read();
  await store.remove('batches/spring/owl.png');
  expect((await exportBatch('spring', request)).unmade).toHaveLength(1);
  await store.create('batches/spring/owl.png', bytes, 'image/png');
  expect(await exportBatch('spring', request)).toMatchObject({ written: ['assets.zip'], unmade: [] });
});

test('one whose export was killed before it was recorded is recognised by its bytes', async () => {
  const { zip, request } = await ready();
  await exportBatch('spring', request);
  await rm(`${zip}.export.json`);
  expect(await exportBatch('spring', request)).toMatchObject({ unchanged: ['assets.zip'], kept: [] });
  expect(await exportBatch('spring', { ...request, sides: [32] })).toMatchObject({ written: ['assets.zip'] });
});

test('a folder in its place is reported, and nothing is left beside it', async () => {
  const { zip, request } = await ready();
  await mkdir(zip);
  await expect(exportBatch('spring', request)).rejects.toThrow(UserError);
  expect(await readdir(dirname(zip))).toEqual(['assets.zip']);
});
