import { expect, test } from 'vitest';
import type { Size } from '../../domain/size.ts';
import { estimate } from '../../records/estimate.ts';
import { type ManifestRow, manifestRow } from '../../records/manifest-table.ts';
import { Measured, type Rates, ratesSchema, updatedRates } from '../../records/rates.ts';
import { sampleJob } from '../images/sample-job.ts';

const DIGEST = 'd'.repeat(64);

const rendered = (count: number, size: Size, seconds: number, steps = 20): ManifestRow[] =>
  Array.from({ length: count }, () => ({
    ...manifestRow(sampleJob, undefined),
    ...{ status: 'rendered' as const, size, steps, device: 'GPU A' },
    ...{ text_encode_ms: 100, denoise_ms: 1_000 * seconds - 300, decode_ms: 200 },
  }));

function measured(rows: ManifestRow[]): Measured {
  const all = new Measured();
  for (const row of rows) all.add(row);
  return all;
}
const rates = (rows: ManifestRow[], before: Rates | null = null): Rates =>
  updatedRates(before, DIGEST, measured(rows))!;
const work = (size: Size, images: number, pixels: number, steps = 20) =>
  new Map([[size, { images, steps: images * steps, pixels: images * pixels }]]);

test('a batch’s measurements predict the next one, whatever its number of steps', () => {
  const known = rates(rendered(8, '512', 4));
  expect(ratesSchema.parse(known)).toEqual(known);
  expect(estimate(known, work('512', 100, 512 ** 2))).toEqual({
    deviceSeconds: 400,
    measured: ['512'],
    guessed: [],
    devices: ['GPU A'],
  });
  expect(estimate(known, work('512', 100, 512 ** 2, 10)).deviceSeconds).toBeCloseTo(200);
});

test('images computed two at a time each use half their time of the device', () => {
  const shared = rendered(8, '512', 8).map((row) => ({ ...row, device_ms: 4_000 }));
  expect(estimate(rates(shared), work('512', 100, 512 ** 2)).deviceSeconds).toBe(400);
});

test('a batch replaces the rates of sizes with enough rendered images, and leaves the others', () => {
  const before = rates([...rendered(8, '256', 1), ...rendered(8, '512', 4)]);
  const after = rates([...rendered(5, '256', 2), ...rendered(4, '512', 9)], before);
  expect(after.sizes['256']).toEqual({ 'GPU A': { images: 5, secondsPerStep: 0.1 } });
  expect(after.sizes['512']).toEqual(before.sizes['512']);
});

test('a few images are better than none, and reused ones do not count', () => {
  expect(rates(rendered(1, '256', 2)).sizes['256']).toEqual({ 'GPU A': { images: 1, secondsPerStep: 0.1 } });
  const reused = rendered(9, '256', 1).map((row) => ({ ...row, status: 'reused' as const }));
  expect(updatedRates(null, DIGEST, measured(reused))).toBeNull();
});

test('a size that was not measured is guessed from the nearest, more than in proportion to its pixels', () => {
  const known = rates([...rendered(8, '256', 1), ...rendered(8, '1024', 20)]);
  const { deviceSeconds, guessed } = estimate(known, work('2k', 10, 2048 ** 2));
  expect(guessed).toEqual(['2k']);
  expect(deviceSeconds).toBeGreaterThan(10 * 20 * 4);
  expect(deviceSeconds).toBeLessThan(10 * 20 * 4 * 4);
});

test('without any measurement there is no estimate, unless there is nothing to do', () => {
  expect(estimate(null, work('256', 1, 256 ** 2))).toMatchObject({
    deviceSeconds: null,
    measured: [],
    guessed: ['256'],
  });
  expect(estimate(null, new Map())).toMatchObject({ deviceSeconds: 0, measured: [], guessed: [] });
});

test('devices of a fleet count by their share of the images, and no longer once they have left', () => {
  const on = (device: string, rows: ManifestRow[]) => rows.map((row) => ({ ...row, device }));
  const mixed = rates([...on('GPU B', rendered(6, '512', 2)), ...on('GPU C', rendered(2, '512', 10))]);
  expect(mixed.sizes['512']).toMatchObject({ 'GPU B': { images: 6 }, 'GPU C': { images: 2 } });
  const { deviceSeconds, devices } = estimate(mixed, work('512', 100, 512 ** 2));
  expect(deviceSeconds).toBeCloseTo(400);
  expect(devices).toEqual(['GPU B', 'GPU C']);
  const after = rates(on('GPU B', rendered(5, '512', 2)), mixed);
  expect(estimate(after, work('512', 100, 512 ** 2))).toMatchObject({ deviceSeconds: 200, devices: ['GPU B'] });
});
