// One step in onnxruntime-node, as the renderer runs it: prints one JSON line after the warm-up, and one for each call.
// npx tsx benchmarks/full-step/step.ts <folder of prepare.py> --size 512 --threads 1 [--runs 3 | --in-turn] [--kind fp32|int8] [--profile PREFIX]

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { InferenceSession, Tensor } from '../../models/pixart/onnxruntime.ts';
import { turnsOf } from '../bench/turns.ts';
import { runInRendererEnvironment } from '../renderer-environment.ts';

runInRendererEnvironment();

type Call = { tensors: Record<string, { shape: number[]; offset: number }> };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    'in-turn': { type: 'boolean', default: false },
    first: { type: 'string' },
    kind: { type: 'string', default: 'fp32' },
    profile: { type: 'string' },
  },
});
const folder = positionals[0];
if (!folder) throw new Error('Usage: npx tsx benchmarks/full-step/step.ts <folder> --size 512 --threads 1');
const TIMESTEP = 749;

const session = await InferenceSession.create(join(folder, values.kind, 'transformer.onnx'), {
  executionProviders: ['cpu'],
  graphOptimizationLevel: 'all',
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' } } },
  intraOpNumThreads: Number(values.threads),
  logSeverityLevel: 3,
  ...(values.profile ? { enableProfiling: true, profileFilePrefix: values.profile } : {}),
});
const first = await readInputs(values.first ?? values.size);
const errors = await errorsOf(join(folder, values.first ?? values.size), first);
if (errors.length === 0) await session.run(first);
const version = `onnxruntime-node ${JSON.parse(await readFile('node_modules/onnxruntime-node/package.json', 'utf8')).version}`;
answer({ what: `pixart-batch ${values.kind}`, version, errors, peakMemoryMb: peakMemory() });
const feeds = await readInputs(values.size);
for await (const _ of turnsOf(values['in-turn'], Number(values.runs))) {
  const [started, used] = [performance.now(), process.cpuUsage()];
  await session.run(feeds);
  const { user, system } = process.cpuUsage(used);
  answer({ processorSeconds: (user + system) / 1e6, wallSeconds: (performance.now() - started) / 1e3 });
}
if (values.profile) session.endProfiling();

function answer(line: object): void {
  console.log(JSON.stringify(line));
}

function peakMemory(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

/** The graph's own inputs, from those that prepare.py wrote. */
async function readInputs(size: string, timestep = TIMESTEP): Promise<Record<string, Tensor>> {
  const { tensors } = JSON.parse(await readFile(join(folder!, size, 'call.json'), 'utf8')) as Call;
  const { buffer } = new Uint8Array(await readFile(join(folder!, size, 'tensors.bin')));
  const read = (name: string): Tensor => {
    const { shape, offset } = tensors[name]!;
    const length = shape.reduce((product, side) => product * side, 1);
    return new Tensor('float32', new Float32Array(buffer, offset, length), shape);
  };
  const mask = read('caption_mask');
  const names = ['latents', 'position_embedding', 'caption'];
  return {
    ...Object.fromEntries(names.map((name) => [name, read(name)])),
    timestep: atTimestep(timestep, mask.dims[0]!),
    caption_mask: new Tensor('int64', BigInt64Array.from(mask.data as Float32Array, BigInt), mask.dims),
  };
}

function atTimestep(timestep: number, batch: number): Tensor {
  return new Tensor('float32', new Float32Array(batch).fill(timestep), [batch]);
}

/**
 * Relative root-mean-square errors against diffusers in float32, at the timesteps that prepare.py kept for the size.
 */
async function errorsOf(inputs: string, feeds: Record<string, Tensor>): Promise<number[]> {
  if (!existsSync(join(inputs, 'expected.json'))) return [];
  const timesteps = JSON.parse(await readFile(join(inputs, 'expected.json'), 'utf8')) as number[];
  const errors: number[] = [];
  for (const timestep of timesteps) {
    const { buffer } = new Uint8Array(await readFile(join(inputs, `expected-${timestep}.bin`)));
    const { prediction } = await session.run({ ...feeds, timestep: atTimestep(timestep, feeds.timestep!.dims[0]!) });
    errors.push(relativeError(prediction!.data as Float32Array, new Float32Array(buffer)));
  }
  return errors;
}

function relativeError(found: Float32Array, expected: Float32Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of expected.entries()) {
    difference += (value - (found[i] ?? Number.NaN)) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}
