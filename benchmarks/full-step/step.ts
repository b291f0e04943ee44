// One step at full size in onnxruntime-node, as the renderer runs it: prints a line of JSON.
// npx tsx benchmarks/full-step/step.ts <folder of prepare.py> --size 512 --threads 1 [--runs 3] [--graph transformer.onnx]

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from '../../models/pixart/onnxruntime.ts';
import { runInRendererEnvironment } from '../renderer-environment.ts';

runInRendererEnvironment();

type Call = { tensors: Record<string, { shape: number[]; offset: number }> };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    graph: { type: 'string', default: 'transformer.onnx' },
    profile: { type: 'string' },
  },
});
const folder = positionals[0];
if (!folder) throw new Error('Usage: npx tsx benchmarks/full-step/step.ts <folder> --size 512 --threads 1');
const threads = Number(values.threads);

const feeds = await readInputs(join(folder, values.size));
const session = await InferenceSession.create(join(folder, values.graph), {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  extra: { session: { intra_op: { allow_spinning: '0' } } },
  intraOpNumThreads: threads,
  logSeverityLevel: 3,
  ...(values.profile ? { enableProfiling: true, profileFilePrefix: values.profile } : {}),
});
const processorSeconds: number[] = [];
const wallSeconds: number[] = [];
let prediction = await call();
for (let run = 0; run < Number(values.runs); run++) {
  const [started, used] = [performance.now(), process.cpuUsage()];
  prediction = await call();
  const { user, system } = process.cpuUsage(used);
  processorSeconds.push((user + system) / 1e6);
  wallSeconds.push((performance.now() - started) / 1e3);
}
const error = await relativeError(prediction);
if (values.profile) session.endProfiling();
console.log(
  JSON.stringify({
    what: 'pixart-batch float32',
    size: Number(values.size),
    threads,
    processorSeconds,
    wallSeconds,
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
    version: `onnxruntime-node ${JSON.parse(await readFile('node_modules/onnxruntime-node/package.json', 'utf8')).version}`,
    ...(error === null ? {} : { relativeError: error }),
  }),
);

async function call(): Promise<Float32Array> {
  return (await session.run(feeds)).prediction!.data as Float32Array;
}

/** What the graph takes of the inputs that prepare.py wrote. */
async function readInputs(inputs: string): Promise<Record<string, Tensor>> {
  const { tensors } = JSON.parse(await readFile(join(inputs, 'call.json'), 'utf8')) as Call;
  const { buffer } = new Uint8Array(await readFile(join(inputs, 'tensors.bin')));
  const read = (name: string): Tensor => {
    const { shape, offset } = tensors[name]!;
    const length = shape.reduce((product, side) => product * side, 1);
    return new Tensor('float32', new Float32Array(buffer, offset, length), shape);
  };
  const mask = read('caption_mask');
  const names = ['latents', 'timestep', 'position_embedding', 'caption'];
  return {
    ...Object.fromEntries(names.map((name) => [name, read(name)])),
    caption_mask: new Tensor('int64', BigInt64Array.from(mask.data as Float32Array, BigInt), mask.dims),
  };
}

/** The largest difference from diffusers' prediction over its largest number; null where it was not kept. */
async function relativeError(found: Float32Array): Promise<number | null> {
  const file = join(folder!, values.size, 'prediction.bin');
  if (!existsSync(file)) return null;
  const expected = new Float32Array(new Uint8Array(await readFile(file)).buffer);
  let [largest, difference] = [0, 0];
  for (const [i, value] of expected.entries()) {
    largest = Math.max(largest, Math.abs(value));
    difference = Math.max(difference, Math.abs(value - (found[i] ?? Number.NaN)));
  }
  return difference / largest;
}
