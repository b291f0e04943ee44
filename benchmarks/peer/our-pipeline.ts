// The shipped bundle from prompt to pixels, without the encoding of a file: what diffusers_loop.py is measured against.
// npx tsx benchmarks/peer/our-pipeline.ts --size 256 --threads 1 [--runs 3] [--steps 20] [--bundle models/bundles/pixart-icons]

import { parseArgs } from 'node:util';
import { loadPipeline, openBundle, type PaintedImage } from '../../models/pixart/index.ts';
import { runInRendererEnvironment } from '../renderer-environment.ts';

const PROMPT = 'a red apple and a blue umbrella on a yellow background, flat';

runInRendererEnvironment();
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    steps: { type: 'string', default: '20' },
    bundle: { type: 'string', default: 'models/bundles/pixart-icons' },
  },
});
const [size, threads] = [Number(values.size), Number(values.threads)];
const bundle = await openBundle(values.bundle);
const pipeline = await loadPipeline(bundle, { device: 'cpu', threads });
const stages = { denoiseMs: 0, decodeMs: 0 };
await draw(0);
const processorSeconds: number[] = [];
const wallSeconds: number[] = [];
for (let seed = 1; seed <= Number(values.runs); seed++) {
  const [started, used] = [performance.now(), process.cpuUsage()];
  const { timings } = await draw(seed);
  const { user, system } = process.cpuUsage(used);
  processorSeconds.push((user + system) / 1e6);
  wallSeconds.push((performance.now() - started) / 1e3);
  for (const stage of ['denoiseMs', 'decodeMs'] as const) stages[stage] += timings[stage];
}
console.log(
  JSON.stringify({
    what: 'pixart-batch float32, whole pipeline',
    size,
    threads,
    processorSeconds,
    wallSeconds,
    peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
    version: `node ${process.version}`,
    stages,
  }),
);

function draw(seed: number): Promise<PaintedImage> {
  return pipeline.render({
    // A text of its own for every image: those that were encoded once are kept.
    prompt: `${PROMPT} ${seed}`,
    negativePrompt: '',
    seed,
    steps: Number(values.steps),
    guidance: bundle.description.defaults.guidance,
    size: values.size as '256' | '512',
    bin: { width: size, height: size },
    width: size,
    height: size,
  });
}
