import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PromptCheck } from '../../catalog/notes/prompt-notes.ts';
import type { Job } from '../../domain/job.ts';
import { openBundle, promptReader } from '../../models/pixart/index.ts';
import { objectName } from '../../records/layout.ts';
import { PlannedPictures } from '../../records/planned-pictures.ts';
import { preview } from '../../records/preview.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';

let folder: string;
let store: ObjectStore;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-preview-'));
  store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
});

afterEach(() => rm(folder, { recursive: true }));

const job = (key: string, changes: Partial<Job> = {}): Job => ({ ...sampleJob, renderKey: key.repeat(64), ...changes });

const DIGEST = 'd'.repeat(64);

test('images that the store has in the requested format are not rendered, and rows that share one count once', async () => {
  await store.create(objectName('a'.repeat(64), 'png'), Buffer.from('x'), 'image/png');
  await store.create(objectName('f'.repeat(64), 'png'), Buffer.from('x'), 'image/png');
  const pictures = new PlannedPictures();
  for (const each of [job('a'), job('a'), job('b'), job('b'), job('f', { format: 'webp', quality: 90 })])
    pictures.add(each);
  expect(await preview(pictures, store, DIGEST)).toMatchObject({ stored: 1, toRender: 2 });
});

test('a large plan is compared with a listing of the store, with the same result', async () => {
  await store.create(objectName('a'.repeat(64), 'png'), Buffer.from('x'), 'image/png');
  const pictures = new PlannedPictures();
  pictures.add(job('a'));
  for (let i = 0; i < 1_200; i += 1) pictures.add(job('a', { renderKey: i.toString(16).padStart(64, '0') }));
  expect(await preview(pictures, store, DIGEST)).toMatchObject({ stored: 1, toRender: 1_200 });
});

test('a store that does not exist yet has nothing', async () => {
  const pictures = new PlannedPictures();
  pictures.add(job('a'));
  expect(await preview(pictures, store, DIGEST)).toMatchObject({ stored: 0, toRender: 1 });
});

test('rows whose prompt is too long for the model are counted, the first ones listed by line', async () => {
  const bundle = await openBundle(path.resolve('tests/golden/bundles/tiny-velocity'));
  const reader = await promptReader(bundle);
  const { maxTokens } = bundle.description.tokenizer;
  expect(reader.read('a fox').isCut).toBe(false);
  const prompts = new PromptCheck(reader);
  const long = Array.from({ length: maxTokens + 1 }, (_, i) => `fox ${i}`).join(' ');
  // Variants of a row share its line.
  for (let line = 2; line < 14; line += 1) for (const _ of [1, 2]) prompts.add(job('a', { line, prompt: long }));
  prompts.add(job('a', { line: 99, prompt: 'a fox' }));
  expect(prompts.notes.cutPrompts).toEqual({ rows: 12, firstLines: [2, 3, 4, 5, 6, 7, 8, 9, 10, 11], maxTokens });
});

test('rows without any word that the model knows are counted, as are rows with some unknown characters', async () => {
  const reader = await promptReader(await openBundle(path.resolve('tests/golden/bundles/tiny-epsilon')));
  const prompts = new PromptCheck(reader);
  const texts = ['a fox', '🐱', 'кошка', 'قطة صغيرة.', 'a fox 🦊', '一只猫'];
  for (const [index, prompt] of texts.entries()) prompts.add(job('a', { line: index + 2, prompt }));
  prompts.add(job('a', { line: 9, prompt: 'a fox', negativePrompt: '🐱' }));
  expect(prompts.notes).toMatchObject({
    emptyPrompts: { rows: 1, firstLines: [7] },
    foreignPrompts: { rows: 4, firstLines: [3, 4, 5, 9] },
    unknownCharacters: { rows: 1, firstLines: [6] },
  });
});
