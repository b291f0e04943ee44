import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { graphWeights } from '../../../models/pixart/graph-weights.ts';
import { WireError } from '../../../models/pixart/wire-reader.ts';
import { field, message, number } from './onnx-bytes.ts';

/** A graph with one weight of float32. */
async function graphOf(...dims: Uint8Array[]): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-graph-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'graph.onnx');
  await writeFile(file, field(7, field(5, message(...dims, number(2, 1)))));
  return file;
}

test('the sides of a weight are read, packed or not', async () => {
  const expected = [{ shape: [2, 3], type: 1, isExternal: false }];
  expect(graphWeights(await graphOf(field(1, Uint8Array.of(2, 3))))).toEqual(expected);
  expect(graphWeights(await graphOf(number(1, 2), number(1, 3)))).toEqual(expected);
});

test('no more sides are read than a weight may have', async () => {
  const file = await graphOf(field(1, new Uint8Array(1_000_000).fill(1)));
  expect(() => graphWeights(file)).toThrow(WireError);
  expect(() => graphWeights(file)).toThrow('more than 16 numbers');
});
