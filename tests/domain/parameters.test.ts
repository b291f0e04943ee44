import { expect, test } from 'vitest';
import { columnsOf, pictureOf } from '../../domain/job.ts';
import { COLUMNS, GRID_COLUMNS, ROW_COLUMNS, TEXT_COLUMNS } from '../../domain/parameters.ts';
import { imageMetadata } from '../../images/properties.ts';
import { CarriedNames } from '../../records/carried-names.ts';
import { manifestRow } from '../../records/manifest-table.ts';
import { sheetRow } from '../../review-page/index.ts';
import { bundle, sampleJob } from '../images/sample-job.ts';

const expectNames = (names: readonly string[], expected: string) => expect(names).toEqual(expected.split(' '));

test('the columns of catalogs keep their names and their order', () => {
  expectNames(COLUMNS, 'id prompt negative_prompt size aspect width height seed steps guidance variants priority');
  expectNames(TEXT_COLUMNS, 'prompt negative_prompt');
  expectNames(GRID_COLUMNS, 'size aspect seed steps guidance');
  expectNames(ROW_COLUMNS, 'id prompt negative_prompt size width height seed steps guidance priority');
});

test('the stored fields of a job keep their names and order, in tables and in images', () => {
  expectNames(
    Object.keys(manifestRow(sampleJob, undefined)),
    'id status file prompt negative_prompt size width height seed steps guidance priority bytes crc32c signed_bytes ' +
      'signed_crc32c prompt_truncated render_key computations device wait_ms text_encode_ms denoise_ms decode_ms image_encode_ms store_ms device_ms thrift error reason metadata',
  );
  expectNames(
    Object.keys(imageMetadata({ ...sampleJob, format: 'webp', quality: 80 }, bundle)),
    'prompt negativePrompt size binWidth binHeight width height seed steps guidance quality renderKey bundleName bundleDigest software',
  );
});

test('a row of the review page keeps the names of its fields', () => {
  expect(sheetRow(sampleJob, undefined, new CarriedNames(), '')).toMatchObject({
    ...{ id: 'lantern', prompt: 'a red paper lantern', negative: 'blurry', size: '256', width: 48, height: 32 },
    ...{ seed: 4_294_967_295, steps: 20, guidance: 4.5, line: 2 },
  });
});

test('a picture and its columns are in the parameters’ order, whatever the order of the job’s properties', () => {
  const shuffled = Object.fromEntries(Object.entries(sampleJob).reverse()) as typeof sampleJob;
  expect(JSON.stringify(pictureOf(shuffled))).toBe(JSON.stringify(pictureOf(sampleJob)));
  expect(JSON.stringify(columnsOf(shuffled))).toBe(JSON.stringify(columnsOf(sampleJob)));
});
