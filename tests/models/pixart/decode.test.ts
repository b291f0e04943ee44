import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { decode } from '../../../models/pixart/decode.ts';
import { Tensor } from '../../../models/pixart/onnxruntime.ts';
import type { Graph } from '../../../models/pixart/session.ts';
import { tileAxis } from '../../../models/pixart/tiles.ts';

describe('tileAxis', () => {
  const axes = fc.record({
    axis: fc.integer({ min: 1, max: 400 }),
    length: fc.integer({ min: 6, max: 60 }),
    factor: fc.constantFrom(1, 2, 8),
  });

  test('covers every pixel with shares that add up to one, from at most two tiles', () => {
    fc.assert(
      fc.property(axes, ({ axis, length, factor }) => {
        const tiles = tileAxis(axis, { length, overlap: Math.floor(length / 3) }, factor);
        const sums = new Float64Array(axis * factor);
        const layers = new Int32Array(axis * factor);
        for (const { start, shares } of tiles) {
          shares.forEach((share, i) => {
            expect(share).toBeGreaterThanOrEqual(0);
            sums[start * factor + i]! += share;
            layers[start * factor + i]! += share > 0 ? 1 : 0;
          });
        }
        sums.forEach((sum) => {
          expect(sum).toBeCloseTo(1, 5);
        });
        expect(Math.max(...layers)).toBeLessThanOrEqual(2);
      }),
    );
  });

  test('treats both sides of a seam alike', () => {
    const [left, right] = tileAxis(90, { length: 50, overlap: 8 }, 8);
    right!.shares.forEach((share, i) => {
      expect(share).toBeCloseTo(left!.shares.at(-1 - i)!, 6);
    });
  });

  test('gives every tile the full length and every pair of neighbours the overlap', () => {
    fc.assert(
      fc.property(axes, ({ axis, length, factor }) => {
        const overlap = Math.floor(length / 3);
        const tiles = tileAxis(axis, { length, overlap }, factor);
        tiles.forEach((tile, i) => {
          expect(tile.length).toBe(Math.min(axis, length));
          const next = tiles[i + 1];
          if (next) expect(tile.start + tile.length - next.start).toBeGreaterThanOrEqual(overlap);
        });
        expect(tiles.at(-1)!.start + tiles.at(-1)!.length).toBe(axis);
      }),
    );
  });
});

describe('decode', () => {
  const vae = { factor: 2, scaling: 0.5, shift: 0 as const, norms: 3, groups: 2 };
  const statistics = Float32Array.from({ length: 12 }, (_, i) => i);

  /** A decoder without context: every latent becomes a square of pixels, so tiles must fit together without a trace. */
  function enlarger() {
    const calls: { output: string | undefined; side: number[]; given: Float32Array | undefined }[] = [];
    const graph: Graph = {
      release: async () => {},
      async run({ latents, given_statistics, is_given }: Record<string, Tensor>, output?: string) {
        const [, channels, height, width] = latents!.dims as [number, number, number, number];
        const given = is_given!.data[0] ? (given_statistics!.data as Float32Array) : undefined;
        calls.push({ output, side: [height, width], given });
        if (output === 'statistics') return statistics;
        const data = latents!.data as Float32Array;
        const image = new Float32Array(channels * height * width * 4);
        for (let i = 0; i < image.length; i++) {
          const x = i % (2 * width);
          const y = Math.floor(i / (2 * width)) % (2 * height);
          const channel = Math.floor(i / (4 * width * height));
          image[i] = data[(channel * height + (y >> 1)) * width + (x >> 1)]!;
        }
        return image;
      },
    };
    return { graph, calls };
  }

  const latentsOf = (height: number, width: number) => ({
    data: Float32Array.from({ length: 3 * height * width }, (_, i) => Math.sin(i)),
    channels: 3,
    height,
    width,
  });

  test.each([
    [128, 128],
    [64, 256],
  ])('decodes %i × %i latents in one piece', async (height, width) => {
    const { graph, calls } = enlarger();
    const image = await decode(graph, vae, latentsOf(height, width), undefined);
    expect(calls).toEqual([{ output: 'image', side: [height, width], given: undefined }]);
    expect([image.height, image.width]).toEqual([2 * height, 2 * width]);
  });

  test.each([
    [270, 480],
    [145, 129],
    [96, 512],
  ])('puts the tiles of %i × %i latents together without a trace', async (height, width) => {
    const { graph, calls } = enlarger();
    const latents = latentsOf(height, width);
    const image = await decode(graph, vae, latents, undefined);
    const tiles = calls.slice(1);
    expect(tiles.length).toBeGreaterThan(1);
    expect(Math.max(...tiles.flatMap(({ side }) => side))).toBeLessThanOrEqual(128);
    let worst = 0;
    image.data.forEach((value, i) => {
      const x = i % image.width;
      const y = Math.floor(i / image.width) % image.height;
      const channel = Math.floor(i / (image.width * image.height));
      const latent = latents.data[(channel * height + (y >> 1)) * width + (x >> 1)]!;
      worst = Math.max(worst, Math.abs(value - latent / vae.scaling));
    });
    expect(worst).toBeLessThan(1e-5);
  });

  test('a bundle may have larger pictures decoded in one piece, and yet none in larger tiles', async () => {
    const { graph, calls } = enlarger();
    const larger = { ...vae, onePiece: 256 ** 2 };
    await decode(graph, larger, latentsOf(240, 272), undefined);
    expect(calls.splice(0)).toEqual([{ output: 'image', side: [240, 272], given: undefined }]);
    await decode(graph, larger, latentsOf(240, 272), undefined, { tileLatents: 64 });
    expect(calls.splice(0).length).toBeGreaterThan(1);
    await decode(graph, larger, latentsOf(270, 480), undefined);
    expect(calls[0]).toEqual({ output: 'statistics', side: [90, 160], given: undefined });
  });

  test('decodes tiles with the statistics of the whole picture, seen at once on fewer latents', async () => {
    const { graph, calls } = enlarger();
    await decode(graph, vae, latentsOf(270, 480), undefined);
    expect(calls[0]).toEqual({ output: 'statistics', side: [90, 160], given: undefined });
    for (const { output, given } of calls.slice(1)) {
      expect(output).toBe('image');
      expect(given).toBe(statistics);
    }
  });

  test.each([
    [64, 64, 1],
    [270, 480, 15],
  ])('gives a decoder without norms the latents alone, %i × %i of them in %i pieces', async (height, width, pieces) => {
    const asked: string[][] = [];
    const { graph } = enlarger();
    const withoutNorms: Graph = {
      ...graph,
      run: (inputs, output) => {
        asked.push([...Object.keys(inputs), output ?? '']);
        return graph.run({ ...inputs, is_given: new Tensor('bool', [false], [1]) }, output);
      },
    };
    await decode(withoutNorms, { ...vae, norms: 0, groups: 0 }, latentsOf(height, width), undefined);
    expect(asked).toEqual(Array.from({ length: pieces }, () => ['latents', 'image']));
  });

  test('decodes a large picture in one piece where it is asked to', async () => {
    const { graph, calls } = enlarger();
    await decode(graph, vae, latentsOf(270, 480), undefined, { isWhole: true });
    expect(calls).toEqual([{ output: 'image', side: [270, 480], given: undefined }]);
  });

  test.each([NaN, Infinity])('refuses %d among the pixels, in one piece and in tiles', async (value) => {
    const graph: Graph = {
      release: async () => {},
      run: async (_, output) => (output === 'statistics' ? statistics : Float32Array.of(0, 0.5, value)),
    };
    for (const latents of [latentsOf(8, 8), latentsOf(270, 480)]) {
      const decoding = decode(graph, vae, latents, undefined);
      await expect(decoding).rejects.toThrow(`pixels of the decoder: expected finite numbers, found ${value}`);
      await expect(decoding).rejects.toThrow(UserError);
    }
  });

  test('stops before the next tile when it is aborted', async () => {
    const { graph, calls } = enlarger();
    const controller = new AbortController();
    const decoding = decode(graph, vae, latentsOf(270, 480), controller.signal);
    setImmediate(() => controller.abort());
    await expect(decoding).rejects.toThrow(/aborted/);
    expect(calls.length).toBeLessThan(16);
  });
});
