import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { EXIT } from '../../cli/exit-codes.ts';
import { COLUMNS } from '../../domain/parameters.ts';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { referencePages } from '../../infra/reference/pages.ts';
import { textOf } from './markdown-files.ts';

const FOLDER = 'docs/reference';

test('the reference is what the code generates: after a change, "npm run reference" writes it again', async () => {
  const pages = await referencePages();
  expect(readdirSync(path.join(ROOT, FOLDER)).sort()).toEqual(Object.keys(pages).sort());
  for (const [name, text] of Object.entries(pages)) expect(textOf(`${FOLDER}/${name}`), name).toBe(text);
});

const firstCells = (page: string): string[] =>
  [...textOf(`${FOLDER}/${page}`).matchAll(/^\| (\S+) +\|/gm)].map(([, cell]) => cell!);

test('the reference lists every column of catalogs and every exit code', () => {
  expect(firstCells('catalog-columns.md')).toEqual(expect.arrayContaining(COLUMNS.map((name) => `\`${name}\``)));
  expect(firstCells('errors.md')).toEqual(expect.arrayContaining(Object.values(EXIT).map(String)));
});
