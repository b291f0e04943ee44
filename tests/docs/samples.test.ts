import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { runHere } from '../cli/run-here.ts';
import { blocksOf } from './code-blocks.ts';

/** What a document shows that a command prints, by its first line. */
const shown = (document: string, first: RegExp): string[] | undefined =>
  blocksOf(document).find(({ lines }) => first.test(lines[0]!))?.lines;

const linesOf = (text: string): string[] =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => line.trimEnd());

test('a plan of the example catalog prints what the guide shows', async () => {
  const empty = 'a-store-that-nobody-has';
  const { stdout } = await runHere(['plan', 'examples/catalog.csv', '--bundle', 'pixart-icons', '--store', empty]);
  expect(linesOf(stdout.replaceAll(empty, 'out'))).toEqual(shown('docs/guide.md', /^examples\/catalog\.csv:/));
});

test('a catalog with mistakes is refused as the page on catalogs shows', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-samples-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'products.csv');
  const right = ['b,a cat,,,', 'c,a dog,,,', 'd,a bus,,,'];
  const rows = ['a,a fox,1000000000,256,', 'hero,a fox,,,', ...right, 'hero,a car,,,', 'e,a cow,,,', 'f,a bee,,,-1'];
  await writeFile(file, ['id,prompt,width,height,Seed No', ...rows].join('\n'));
  const { stderr } = await runHere(['plan', file, '--column', 'seed=Seed No', '--bundle', 'pixart-icons']);
  const refusal = linesOf(stderr.replaceAll(file, 'products.csv').replace('pixart-batch: ', ''));
  expect(refusal).toEqual(shown('docs/catalog.md', /^products\.csv: 3 problems/));
});
