import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { cellsOf, pictureOf } from '../../domain/job.ts';
import { COLUMNS, GRID_COLUMNS, ROW_COLUMNS, TEXT_COLUMNS } from '../../domain/parameters.ts';
import { imageMetadata } from '../../images/properties.ts';
import { manifestCsv, manifestRow } from '../../records/manifest-table.ts';
import { sheetRow } from '../../review-page/index.ts';
import { bundle, sampleJob } from '../images/sample-job.ts';

test('the columns of catalogs keep their names and their order', () => {
  expect(COLUMNS.join()).toBe(
    'id,prompt,negative_prompt,size,aspect,width,height,seed,steps,guidance,variants,priority',
  );
  expect(TEXT_COLUMNS.join()).toBe('prompt,negative_prompt');
  expect(GRID_COLUMNS.join()).toBe('size,aspect,seed,steps,guidance');
  expect(ROW_COLUMNS.join()).toBe('id,prompt,negative_prompt,size,width,height,seed,steps,guidance,priority');
});

test('what is stored of a job keeps its names and their order: in tables, in images, in the review page', () => {
  const [header] = Buffer.concat([...manifestCsv([manifestRow(sampleJob, undefined)])])
    .toString()
    .replaceAll(/[\ufeff"]/g, '')
    .split('\r\n');
  expect(header).toMatch(
    /^id,status,file,prompt,negative_prompt,size,width,height,seed,steps,guidance,priority,bytes,/,
  );
  expect(Object.keys(imageMetadata({ ...sampleJob, format: 'webp', quality: 80 }, bundle)).join()).toBe(
    'prompt,negativePrompt,size,binWidth,binHeight,width,height,seed,steps,guidance,quality,renderKey,bundleName,bundleDigest,software',
  );
  expect(sheetRow(sampleJob, undefined, new Map(), '')).toMatchObject({
    ...{ id: 'lantern', prompt: 'a red paper lantern', negative: 'blurry', size: '256', width: 48, height: 32 },
    ...{ seed: 4_294_967_295, steps: 20, guidance: 4.5, line: 2 },
  });
});

test('a job’s picture and its cells are what they are however the job was put together', () => {
  const shuffled = Object.fromEntries(Object.entries(sampleJob).reverse()) as typeof sampleJob;
  expect(JSON.stringify(pictureOf(shuffled))).toBe(JSON.stringify(pictureOf(sampleJob)));
  expect(Object.keys(cellsOf(shuffled))).toEqual(ROW_COLUMNS);
});

test('the guide to catalogs tells of every column', async () => {
  const guide = await readFile(new URL('../../docs/catalog.md', import.meta.url), 'utf8');
  const first = [...guide.matchAll(/^\| (`[^|]*`) +\|/gm)].map(([, cell]) => cell);
  const told = first.flatMap((cell) => [...cell!.matchAll(/`(\w+)`/g)].map(([, name]) => name));
  expect(told).toEqual(expect.arrayContaining([...COLUMNS]));
});
