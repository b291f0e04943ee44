import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Size } from '../../../domain/size.ts';

export const GOLDEN = fileURLToPath(new URL('../../golden', import.meta.url));

type Text = { ids: number[]; mask: number[] };

/** One run of the reference: its inputs, and what it had after each stage. tests/golden/README.md lists the tensors. */
export type GoldenCase = {
  name: string;
  bundle: string;
  prompt: string;
  negativePrompt: string;
  size: Size;
  width: number;
  height: number;
  binning: boolean;
  sampledWidth: number;
  sampledHeight: number;
  seed: number;
  steps: number;
  guidance: number;
  text: Text;
  negativeText: Text | null;
  timesteps: number[];
  callIndex: number;
  tensor(name: string): { data: Float32Array; shape: number[] };
  image: Uint8Array;
};

type TensorEntry = { dtype: 'float32' | 'uint8'; shape: number[]; offset: number };

export const goldenNames = (): string[] => readdirSync(path.join(GOLDEN, 'cases')).sort();

export function loadCase(name: string): GoldenCase {
  const folder = path.join(GOLDEN, 'cases', name);
  const { tensors, ...facts } = JSON.parse(readFileSync(path.join(folder, 'case.json'), 'utf8'));
  const bytes = readFileSync(path.join(folder, 'tensors.bin'));
  const entry = (tensor: string): TensorEntry & { count: number } => {
    const found: TensorEntry | undefined = tensors[tensor];
    if (!found) throw new Error(`${name} has no tensor ${tensor}`);
    return { ...found, count: found.shape.reduce((product, length) => product * length, 1) };
  };
  const image = entry('image');
  return {
    ...facts,
    name,
    image: new Uint8Array(bytes.subarray(image.offset, image.offset + image.count)),
    tensor: (tensor) => {
      const { shape, offset, count } = entry(tensor);
      return { shape, data: new Float32Array(bytes.buffer.slice(bytes.byteOffset + offset).slice(0, count * 4)) };
    },
  };
}

/** The largest difference in relation to the largest expected value. */
export function relativeError(found: Float32Array, expected: Float32Array): number {
  if (found.length !== expected.length) throw new Error(`found ${found.length} values, expected ${expected.length}`);
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    difference = Math.max(difference, Math.abs(found[i]! - expected[i]!));
    largest = Math.max(largest, Math.abs(expected[i]!));
  }
  return difference / largest;
}

/** Largest and mean difference of two images' bytes, in units of 1/255. */
export function byteDifference(found: Uint8Array, expected: Uint8Array): { max: number; mean: number } {
  if (found.length !== expected.length) throw new Error(`found ${found.length} bytes, expected ${expected.length}`);
  let max = 0;
  let sum = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    max = Math.max(max, difference);
    sum += difference;
  }
  return { max, mean: sum / expected.length };
}
