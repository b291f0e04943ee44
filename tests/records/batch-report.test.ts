import { expect, test } from 'vitest';
import { batchReport } from '../../records/batch-report.ts';
import { type ManifestRow, manifestRow } from '../../records/manifest-table.ts';
import { sampleJob } from '../images/sample-job.ts';

const row = (changes: Partial<ManifestRow>): ManifestRow => ({ ...manifestRow(sampleJob, undefined), ...changes });

const image = (id: string, seconds: number): ManifestRow =>
  row({ id, status: 'rendered', bytes: 10, text_encode_ms: 100, denoise_ms: 1_000 * seconds - 200, decode_ms: 100 });

test('times cover rendered images, by nearest rank, and stages are shares of them', () => {
  const rows = [...Array.from({ length: 20 }, (_, i) => image(`i${i}`, i + 1)), row({ status: 'reused', bytes: 10 })];
  const { sizes, slowest } = batchReport(rows);
  expect(sizes).toMatchObject([
    { jobs: 21, rendered: 20, reused: 1, bytes: 210, deviceSeconds: 210, median: 10, p95: 19 },
  ]);
  const { textEncode, denoise, decode } = sizes[0]!.stages;
  expect(textEncode + denoise + decode).toBeCloseTo(1);
  expect(textEncode).toBeCloseTo(2 / 210);
  expect(slowest.map(({ id }) => id)).toEqual(['i19', 'i18', 'i17', 'i16', 'i15']);
});

test("device time adds up the images' shares of the device; an image's own time is that of its stages", () => {
  const shared = Array.from({ length: 4 }, (_, i) => ({ ...image(`i${i}`, 10), device_ms: 5_000 }));
  expect(batchReport(shared).sizes).toMatchObject([{ rendered: 4, deviceSeconds: 20, median: 10, p95: 10 }]);
});

test('reasons that differ only in an object’s name and bytes count as one', () => {
  const full = (key: string, bytes: string) =>
    `could not write objects/${key.repeat(64)}.png (${bytes} bytes): the disk is full`;
  const rows = [full('a', '12,345'), full('b', '7')].map((reason, i) =>
    row({ id: `i${i}`, status: 'failed', error: 'X', reason }),
  );
  expect(batchReport(rows).failures).toEqual([{ error: 'X', reason: full('a', '12,345'), jobs: 2, ids: ['i0', 'i1'] }]);
});

test('sizes come in order, and a batch in which nothing was rendered has no times', () => {
  const { sizes, slowest } = batchReport([row({ size: '512', status: 'failed' }), row({ size: '256' })]);
  expect(sizes).toMatchObject([
    { size: '256', cancelled: 1, deviceSeconds: 0, median: 0, p95: 0, stages: { denoise: 0 } },
    { size: '512', failed: 1 },
  ]);
  expect(slowest).toEqual([]);
});

test('failures with one reason are listed once, the most frequent first, with some of their ids', () => {
  const failed = (id: string, reason: string) => row({ id, status: 'failed', error: 'UserError', reason });
  const rows = [failed('a', 'rare'), ...Array.from({ length: 7 }, (_, i) => failed(`b${i}`, 'often'))];
  expect(batchReport(rows).failures).toEqual([
    { error: 'UserError', reason: 'often', jobs: 7, ids: ['b0', 'b1', 'b2', 'b3', 'b4'] },
    { error: 'UserError', reason: 'rare', jobs: 1, ids: ['a'] },
  ]);
});
