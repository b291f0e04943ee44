import { createHash } from 'node:crypto';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { encodeFloats } from '../../../benchmarks/gpu/floats.ts';
import { makeWeights, RECIPE_FILE } from '../../../benchmarks/gpu/weights.ts';

const half = (bits: number): number => {
  const exponent = (bits >> 10) & 31;
  const magnitude = (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
  return (bits & 0x8000 ? -1 : 1) * (exponent === 0 ? 0 : magnitude);
};

describe('numbers in two bytes', () => {
  const floats = fc.double({ min: -60_000, max: 60_000, noNaN: true }).filter((number) => Math.abs(number) > 1e-4);

  it('are the nearest that float16 has', () => {
    fc.assert(
      fc.property(floats, (number) => {
        const bits = encodeFloats(Float32Array.of(number), 'float16').readUInt16LE();
        expect(Math.abs(half(bits) - number)).toBeLessThanOrEqual(Math.abs(number) * 2 ** -11 * 1.001);
      }),
    );
    expect(half(encodeFloats(Float32Array.of(1e9), 'float16').readUInt16LE())).toBe(65504);
    expect(half(encodeFloats(Float32Array.of(-1e-9), 'float16').readUInt16LE())).toBe(-0);
  });

  it('are the nearest that bfloat16 has', () => {
    fc.assert(
      fc.property(floats, (number) => {
        const bits = encodeFloats(Float32Array.of(number), 'bfloat16').readUInt16LE();
        const found = new Float32Array(Uint32Array.of(bits << 16).buffer)[0]!;
        expect(Math.abs(found - number)).toBeLessThanOrEqual(Math.abs(number) * 2 ** -8 * 1.001);
      }),
    );
  });
});

describe('weights that a stripped bundle lacks', () => {
  const LARGE = 1_200_000;
  const RECIPE = {
    'transformer.onnx.data': [
      { offset: 0, elements: 1000, type: 'float32', mean: 1, deviation: 0.1 },
      { offset: 65_536, elements: LARGE, type: 'float16', mean: 0, deviation: 0.03 },
    ],
    'text_encoder.onnx.data': [{ offset: 0, elements: 200_000, type: 'bfloat16', mean: 0, deviation: 1000 }],
  };
  const SIZE = 65_536 + 2 * LARGE;
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'gpu-weights-'));
    await writeFile(path.join(folder, RECIPE_FILE), JSON.stringify(RECIPE));
    const unknown = { sha256: '0'.repeat(64), bytes: 0 };
    const files = { 'transformer.onnx': unknown, ...Object.fromEntries(Object.keys(RECIPE).map((f) => [f, unknown])) };
    await writeFile(path.join(folder, 'bundle.json'), JSON.stringify({ name: 'xl', files }));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const read = (file: string): Promise<Buffer> => readFile(path.join(folder, file));
  const isPainters = (file: string): boolean => file.startsWith('transformer');

  it('are spread as they were, and listed with their digests', async () => {
    expect(await makeWeights(folder, isPainters)).toEqual(['transformer.onnx.data']);
    const data = await read('transformer.onnx.data');
    expect(data).toHaveLength(SIZE);
    const first = new Float32Array(data.buffer.slice(data.byteOffset, data.byteOffset + 4_000));
    const mean = first.reduce((sum, number) => sum + number, 0) / first.length;
    expect(mean).toBeCloseTo(1, 1);
    const second = Float64Array.from({ length: LARGE }, (_, i) => half(data.readUInt16LE(65_536 + 2 * i)));
    expect(Math.sqrt(second.reduce((sum, number) => sum + number ** 2, 0) / LARGE)).toBeCloseTo(0.03, 3);
    // Where its numbers begin again, too.
    expect(second.every(Number.isFinite)).toBe(true);
    expect(data.subarray(4_000, 65_536).every((byte) => byte === 0)).toBe(true);
    const { files, name } = JSON.parse((await read('bundle.json')).toString());
    const sha256 = createHash('sha256').update(data).digest('hex');
    expect(files['transformer.onnx.data']).toEqual({ sha256, bytes: SIZE });
    expect([name, files['text_encoder.onnx.data'].bytes]).toEqual(['xl', 0]);
    expect(await readdir(folder)).not.toContain('text_encoder.onnx.data');
  });

  it('are made once, and after an interruption again, the same', async () => {
    await makeWeights(folder, isPainters);
    const before = await read('transformer.onnx.data');
    expect(await makeWeights(folder, isPainters)).toEqual([]);
    await rm(path.join(folder, 'transformer.onnx.data'));
    await writeFile(path.join(folder, '.transformer.onnx.data.unfinished'), 'cut off');
    await makeWeights(folder, () => true);
    expect((await read('transformer.onnx.data')).equals(before)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual([...Object.keys(RECIPE), 'bundle.json', RECIPE_FILE].sort());
  });

  it('are not made where the bundle is whole', async () => {
    const whole = `${folder}-whole`;
    await cp(folder, whole, { recursive: true });
    await rm(path.join(whole, RECIPE_FILE));
    expect(await makeWeights(whole, () => true)).toEqual([]);
    await rm(whole, { recursive: true });
  });
});
