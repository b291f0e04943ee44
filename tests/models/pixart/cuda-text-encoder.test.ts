import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Bundle, openBundle } from '../../../models/pixart/bundle.ts';
import { encoderDigest, partFiles } from '../../../models/pixart/bundle-parts.ts';
import { textEncoderGraph } from '../../../models/pixart/encoder-graphs.ts';
import { type Graph, openGraph } from '../../../models/pixart/session.ts';
import { encodeText } from '../../../models/pixart/text-encoder.ts';
import { GOLDEN } from './golden-case.ts';
import { goldenWithCuda } from './golden-cuda.ts';

const FILE = 'text_encoder.cuda.onnx';
const CUDA = { textEncoder: { error: 1e-3, psnr: 60 } };
const OPTIONS = { device: 'cpu', threads: 1 } as const;

let bundle: Bundle;
let encoders: { cpu: Graph; cuda: Graph };

beforeAll(async () => {
  bundle = await goldenWithCuda(FILE, CUDA);
  encoders = {
    cpu: await openGraph(bundle, 'text_encoder.onnx', OPTIONS),
    cuda: await openGraph(bundle, FILE, OPTIONS),
  };
});

afterAll(async () => {
  for (const graph of Object.values(encoders)) await graph.release();
  await rm(bundle.folder, { recursive: true });
});

test('a device runs the text encoder that was made for it, where there is one', async () => {
  expect(textEncoderGraph(bundle.description, 'cuda:0').file).toBe(FILE);
  expect(textEncoderGraph(bundle.description, 'cpu').file).toBe('text_encoder.onnx');
  const without = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
  expect(textEncoderGraph(without.description, 'cuda:0').file).toBe('text_encoder.onnx');
  expect(textEncoderGraph({ cuda: {} }, 'cuda:0').file).toBe('text_encoder.onnx');
});

test('captions of bundles with and without it are kept apart, and encoders need its file', async () => {
  const without = await openBundle(path.join(GOLDEN, 'bundles/tiny-epsilon'));
  expect(encoderDigest(bundle.description)).not.toBe(encoderDigest(without.description));
  expect(partFiles(bundle.description, 'encoder')).toContain(FILE);
  expect(partFiles(bundle.description, 'painter')).not.toContain(FILE);
});

/** Records how many tokens a graph is given. */
function counted(graph: Graph): { graph: Graph; given: number[] } {
  const given: number[] = [];
  const run: Graph['run'] = (inputs, output) => {
    given.push(inputs.input_ids!.dims[1]!);
    return graph.run(inputs, output);
  };
  return { graph: { ...graph, run }, given };
}

test.each([1, 7, 8, 9, 24])('a text of %i tokens is padded for it, and has the same states', async (count) => {
  const ids = Array.from({ length: count }, (_, i) => (i < count - 1 ? 3 + ((i * 5) % 40) : 1));
  const { graph, given } = counted(encoders.cuda);
  const { multiple } = textEncoderGraph(bundle.description, 'cuda:0');
  const found = await encodeText(graph, ids, multiple);
  const expected = await encodeText(encoders.cpu, ids);
  expect(given).toEqual([Math.ceil(count / 8) * 8]);
  expect(found).toHaveLength(expected.length);
  const noise = found.reduce((sum, value, i) => sum + (value - expected[i]!) ** 2, 0);
  const signal = expected.reduce((sum, value) => sum + value ** 2, 0);
  expect(10 * Math.log10(signal / noise)).toBeGreaterThan(50);
});
