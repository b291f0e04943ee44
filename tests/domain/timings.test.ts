import { expect, test } from 'vitest';
import { timingsSchema } from '../../domain/timings.ts';

const now = { waitMs: 1, textEncodeMs: 2, denoiseMs: 3, decodeMs: 4, imageEncodeMs: 5, storeMs: 6 };
const before = { waitMs: 1, encodeMs: 2, denoiseMs: 3, decodeMs: 4, storeMs: 11 };

test('timings of workers of earlier versions are read under the current names', () => {
  const { imageEncodeMs: _, ...read } = { ...now, storeMs: 11 };
  expect(timingsSchema.parse(before)).toEqual(read);
  // As a manifest keeps it.
  expect(timingsSchema.parse(read)).toEqual(read);
  expect(timingsSchema.parse(now)).toEqual(now);
});

test('a stage that only a later version measures is ignored; one that every version measures is required', () => {
  expect(timingsSchema.parse({ ...now, upscaleMs: 1 })).toEqual(now);
  for (const name of ['waitMs', 'denoiseMs', 'decodeMs', 'storeMs'] as const) {
    const { [name]: _, ...rest } = now;
    expect(timingsSchema.safeParse(rest).success).toBe(false);
  }
});
