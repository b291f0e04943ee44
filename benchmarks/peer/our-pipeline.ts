// A bundle from prompt to pixels, without encoding a file: our side of the comparison with diffusers_loop.py. Prints a line
// of JSON when it is ready, and one for each image.
// npx tsx benchmarks/peer/our-pipeline.ts --size 256 --threads 1 [--runs 3 | --in-turn] [--steps 20] [--bundle models/bundles/pixart-icons] [--keep FILE]

import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadPipeline, openBundle, type PaintedImage } from '../../models/pixart/index.ts';
import { turnsOf } from '../bench/turns.ts';
import { runInRendererEnvironment } from '../renderer-environment.ts';

const PROMPT = 'a red apple and a blue umbrella on a yellow background, flat';

runInRendererEnvironment();
const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '256' },
    threads: { type: 'string', default: '1' },
    runs: { type: 'string', default: '3' },
    'in-turn': { type: 'boolean', default: false },
    steps: { type: 'string', default: '20' },
    bundle: { type: 'string', default: 'models/bundles/pixart-icons' },
    keep: { type: 'string' },
  },
});
const [size, threads] = [Number(values.size), Number(values.threads)];
const bundle = await openBundle(values.bundle);
const pipeline = await loadPipeline(bundle, { device: 'cpu', threads });
const { rgb } = await draw(0);
if (values.keep !== undefined) await writeFile(values.keep, rgb);
answer({
  what: bundle.description.name,
  version: `node ${process.version}`,
  peakMemoryMb: Math.round(process.resourceUsage().maxRSS / 1024),
});
let seed = 0;
for await (const _ of turnsOf(values['in-turn'], Number(values.runs))) {
  seed += 1;
  const [started, used] = [performance.now(), process.cpuUsage()];
  const { timings } = await draw(seed);
  const { user, system } = process.cpuUsage(used);
  answer({
    processorSeconds: (user + system) / 1e6,
    wallSeconds: (performance.now() - started) / 1e3,
    denoiseMs: timings.denoiseMs,
    decodeMs: timings.decodeMs,
  });
}

function answer(line: object): void {
  console.log(JSON.stringify(line));
}

function draw(seed: number): Promise<PaintedImage> {
  return pipeline.render({
    // A distinct text for every image, because encoded texts are kept.
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
