// Makes the call that `python -m export.prove_full_size` kept, in onnxruntime-node, and compares the outputs:
// npx tsx models/export/check-full-size.ts <folder>

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { InferenceSession, Tensor } from '../pixart/onnxruntime.ts';

type Entry = { shape: number[]; offset: number };
type Call = { tensors: Record<string, Entry> };

const TOLERANCE = 1e-4;

const folder = process.argv[2];
if (!folder) throw new Error('Usage: npx tsx models/export/check-full-size.ts <folder>');

const call = JSON.parse(await readFile(join(folder, 'call.json'), 'utf8')) as Call;
const bytes = new Uint8Array(await readFile(join(folder, 'tensors.bin')));

function read(name: string): { values: Float32Array; shape: number[] } {
  const entry = call.tensors[name];
  if (!entry) throw new Error(`${folder}/call.json has no tensor "${name}".`);
  const length = entry.shape.reduce((product, side) => product * side, 1);
  return { values: new Float32Array(bytes.buffer, entry.offset, length), shape: entry.shape };
}

function floatInput(name: string): Tensor {
  const { values, shape } = read(name);
  return new Tensor('float32', values, shape);
}

const mask = read('caption_mask');
const feeds = {
  ...Object.fromEntries(
    ['latents', 'timestep', 'position_embedding', 'caption'].map((name) => [name, floatInput(name)]),
  ),
  caption_mask: new Tensor('int64', BigInt64Array.from(mask.values, BigInt), mask.shape),
};

const loading = performance.now();
const session = await InferenceSession.create(join(folder, 'transformer.onnx'));
const running = performance.now();
const output = await session.run(feeds);
const done = performance.now();

const found = output.prediction?.data as Float32Array;
const expected = read('prediction').values;
let largest = 0;
let difference = 0;
for (const [index, value] of expected.entries()) {
  largest = Math.max(largest, Math.abs(value));
  difference = Math.max(difference, Math.abs(value - (found[index] ?? Number.NaN)));
}
const error = difference / largest;
console.log(`loaded in ${((running - loading) / 1000).toFixed(1)} s, ran in ${((done - running) / 1000).toFixed(1)} s`);
console.log(`peak memory ${(process.resourceUsage().maxRSS / 2 ** 20).toFixed(1)} GiB`);
console.log(`relative error ${error.toExponential(1)} against the reference in torch`);
if (!(error <= TOLERANCE)) process.exitCode = 1;
