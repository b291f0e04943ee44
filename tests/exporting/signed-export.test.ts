import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { chosenBundle, exportBatch } from '../../client/index.ts';
import { openPictureSigner, type PictureSigner, type SigningConfig } from '../../credentials/picture-signer.ts';
import { readCredential } from '../../credentials/read-credential.ts';
import { folderStore } from '../activities/rendering.ts';
import { chainIn } from '../credentials/chains.ts';
import { drawnBatch, SHIPPED } from './drawn-batch.ts';
import { emptyPlace, picture } from './places.ts';

let folder: string;
let sign: SigningConfig;
let signer: PictureSigner;
let bundle: typeof SHIPPED;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-signed-export-'));
  sign = await chainIn(folder);
  const { digest } = await chosenBundle('pixart-icons');
  bundle = { name: 'pixart-icons', digest };
  signer = await openPictureSigner(sign, { ...bundle, license: 'Apache-2.0' });
});

afterAll(() => rm(folder, { recursive: true }));

const credentialOf = async (to: string, file: string) => readCredential(await readFile(join(to, file)));

async function signedBatch() {
  const [store, to] = [await folderStore(), await emptyPlace()];
  const jobs = await drawnBatch(store, 'spring', [await picture('fox', '#ff8020')], { bundle, sign: signer });
  return { store, to, jobs, request: { store: store.url, to, all: true } };
}

test('a copy keeps its credential; a file with another look has none, which is reported', async () => {
  const { to, request } = await signedBatch();
  expect(await exportBatch('spring', request)).toMatchObject({ losesCredentials: false });
  expect((await credentialOf(to, 'fox.png'))?.fault).toBeNull();
  expect(await exportBatch('spring', { ...request, formats: ['webp'] })).toMatchObject({ losesCredentials: true });
  expect(await credentialOf(to, 'fox.webp')).toBeNull();
  const told = await exportBatch('spring', { ...request, to: `${to}-2`, pngParameters: true });
  expect(told).toMatchObject({ losesCredentials: true });
  expect(await credentialOf(`${to}-2`, 'fox.png')).toBeNull();
});

test('with a key, each file is signed once, as a changed picture of the model', async () => {
  const { to, jobs, request } = await signedBatch();
  const changed = {
    ...request,
    sign,
    transparent: true,
    trim: true,
    sides: [64],
    formats: ['png', 'webp', 'avif'] as const,
  };
  expect(await exportBatch('spring', changed)).toMatchObject({ losesCredentials: false, unmade: [] });
  for (const file of ['fox.png', 'fox.webp', 'fox.avif']) {
    const credential = await credentialOf(to, file);
    expect(credential?.fault).toBeNull();
    expect(credential?.statement).toMatchObject({
      model: { ...bundle, license: 'Apache-2.0' },
      renderKey: jobs[0]!.renderKey,
      prompt: undefined,
    });
    const text = (await readFile(join(to, file))).toString('latin1');
    for (const action of ['c2pa.created', 'c2pa.edited', 'c2pa.resized', 'c2pa.cropped'])
      expect(text).toContain(action);
    expect(text.includes('c2pa.converted')).toBe(file !== 'fox.png');
  }
  expect(await exportBatch('spring', changed)).toMatchObject({ written: [] });
});

test("a picture of a bundle that is not installed cannot be signed, since a credential names the bundle's licence", async () => {
  const store = await folderStore();
  await drawnBatch(store, 'spring', [await picture('fox', '#ff8020')], { bundle: SHIPPED });
  const request = { store: store.url, to: await emptyPlace(), all: true, sign };
  await expect(exportBatch('spring', request)).rejects.toThrow(
    /expected the bundle pixart-icons .* found it not installed/,
  );
});
