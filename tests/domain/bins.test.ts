import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { binsOf, nearestBin } from '../../domain/bins.ts';
import { SIZES, type Size } from '../../domain/size.ts';

type Reference = {
  tables: Record<string, [ratio: number, height: number, width: number][]>;
  nearest: [size: Size, width: number, height: number, binHeight: number, binWidth: number][];
};

const reference: Reference = JSON.parse(readFileSync(new URL('fixtures/reference-bins.json', import.meta.url), 'utf8'));

const tableOf = (name: string) => reference.tables[name]!.map(([, height, width]) => ({ height, width }));

describe('bins', () => {
  it.each(['256', '512', '1024', '2k'] as const)('are those of diffusers at size %s', (size) => {
    expect(binsOf(size)).toEqual(tableOf(size));
  });

  it('are the 2880 table of PixArt-sigma with 2160×3840 and its transpose at 4k', () => {
    const added = (bin: { height: number; width: number }) => `${bin.height}×${bin.width}`;
    const known = tableOf('2880').map(added);
    expect(binsOf('4k').filter((bin) => known.includes(added(bin)))).toEqual(tableOf('2880'));
    expect(binsOf('4k').filter((bin) => !known.includes(added(bin)))).toEqual([
      { height: 2160, width: 3840 },
      { height: 3840, width: 2160 },
    ]);
  });

  it.each(SIZES)('divide into latents and patches at size %s', (size) => {
    for (const { height, width } of binsOf(size)) expect([height % 16, width % 16]).toEqual([0, 0]);
  });
});

describe('nearestBin', () => {
  it('answers as diffusers does', () => {
    const ours = reference.nearest.map(([size, width, height]) => {
      const bin = nearestBin(size, width, height);
      return [size, width, height, bin.height, bin.width];
    });
    expect(ours).toEqual(reference.nearest);
  });

  it('finds exactly 3840×2160 for 16:9 at 4k, and its transpose for 9:16', () => {
    expect(nearestBin('4k', 16, 9)).toEqual({ height: 2160, width: 3840 });
    expect(nearestBin('4k', 9, 16)).toEqual({ height: 3840, width: 2160 });
  });

  it('takes the wider bin if two are equally near', () => {
    expect(nearestBin('1024', 2, 5.5)).toEqual({ height: 1600, width: 640 });
    expect(nearestBin('1024', 2, 7)).toEqual({ height: 1728, width: 576 });
  });

  it('gives each bin of the reference for its own rounded ratio', () => {
    for (const size of ['256', '512', '1024', '2k'] as const) {
      for (const [ratio, height, width] of reference.tables[size]!) {
        expect(nearestBin(size, 1, ratio)).toEqual({ height, width });
      }
    }
  });

  it.each(SIZES)('gives each bin of size %s for its own width and height', (size) => {
    for (const bin of binsOf(size)) expect(nearestBin(size, bin.width, bin.height)).toEqual(bin);
  });

  it('depends only on the ratio, never on the scale, except for a bin’s own pixels', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...SIZES),
        fc.integer({ min: 1, max: 4096 }),
        fc.integer({ min: 1, max: 4096 }),
        fc.integer({ min: 0, max: 8 }),
        (size, width, height, power) => {
          const scaled = { height: height * 2 ** power, width: width * 2 ** power };
          const own = binsOf(size).some((bin) => bin.width === scaled.width && bin.height === scaled.height);
          fc.pre(!own);
          expect(nearestBin(size, width * 2 ** power, height * 2 ** power)).toBe(nearestBin(size, width, height));
        },
      ),
    );
  });
});
