// What a few-step student saves: the same image with both shipped bundles, each with its own steps and guidance.
// npx tsx benchmarks/few-steps.ts [size …]

import { nearestBin } from '../domain/bins.ts';
import { type Size, sizeSchema } from '../domain/size.ts';
import { bundleFolder, loadPipeline, openBundle, type Pipeline } from '../models/pixart/index.ts';

const RUNS = 3;

const load = async (name: string): Promise<Pipeline> =>
  loadPipeline(await openBundle(await bundleFolder(name)), { device: 'cpu', threads: 2 });

/** Seconds for one square image, the fastest of several runs. */
async function seconds(pipeline: Pipeline, size: Size): Promise<number> {
  const bin = nearestBin(size, 1, 1);
  const prompt = 'a flat fox on a teal background';
  const request = { prompt, negativePrompt: '', size, ...bin, bin, seed: 7, ...pipeline.bundle.description.defaults };
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const started = performance.now();
    await pipeline.render(request);
    times.push((performance.now() - started) / 1000);
  }
  return Math.min(...times);
}

const asked = process.argv.length > 2 ? process.argv.slice(2) : ['256', '512', '1024'];
const [many, few] = [await load('pixart-icons'), await load('pixart-icons-4-steps')];
console.log('| size | many steps, s | few steps, s | many / few |\n| --- | --- | --- | --- |');
for (const size of asked.map((text) => sizeSchema.parse(text))) {
  const [slow, fast] = [await seconds(many, size), await seconds(few, size)];
  console.log(`| ${size} | ${slow.toFixed(2)} | ${fast.toFixed(2)} | ${(slow / fast).toFixed(1)} |`);
}
await many.dispose();
await few.dispose();
