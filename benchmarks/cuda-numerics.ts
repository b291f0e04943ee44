// What float16 changes in the graphs for CUDA, computed on a processor: PSNR between these and the graphs for CPUs, of one
// call of transformer and decoder, and of whole images of the shipped bundles with their default steps.
// npx tsx benchmarks/cuda-numerics.ts [--real CHECKPOINT] [--size 256] [--count 10] [--scratch FOLDER] [--json]
// --real adds one call of another checkpoint's networks; XL/2 takes 2 GB of memory.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { sizeSchema } from '../domain/size.ts';
import { draw, load, somePrompts } from './bench/drawing.ts';
import { PART_OPTIONS, say, tellLines, withScratch } from './bench/part.ts';
import { peakSignalToNoise } from './bench/pictures.ts';
import { ROOT } from './bench/real-bundle.ts';
import type { Line } from './bench/report.ts';
import { CHECKPOINT, SHIPPED, type Shipped, shippedExport } from './bench/shipped-export.ts';
import { openCardsOnProcessor, withDefinedOperators } from './cuda-numerics/card-on-processor.ts';
import { runInRendererEnvironment } from './renderer-environment.ts';

runInRendererEnvironment();

/** What one bundle may draw differently on two devices, in dB: docs/decisions/140. */
const GOAL = { atLeast: 50 };

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    size: { type: 'string', default: '256' },
    count: { type: 'string', default: '10' },
  },
});
const size = sizeSchema.parse(values.size);

await withScratch(values.scratch, async (scratch) => {
  const lines = oneCall('shipped', CHECKPOINT);
  if (values.real !== undefined) lines.push(...oneCall(path.basename(values.real), values.real));
  openCardsOnProcessor();
  for (const name of SHIPPED) lines.push(await images(name, scratch));
  tellLines(lines, values.json);
});

/** @throws Error if a graph is further off than an export accepts */
function oneCall(name: string, checkpoint: string): Line[] {
  const script = path.join(ROOT, 'benchmarks/cuda-numerics/graphs.py');
  const { status, stdout } = spawnSync(path.join(ROOT, 'models/python.sh'), [script, checkpoint], {
    stdio: ['ignore', 'pipe', 2],
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`graphs.py exited with code ${status}`);
  const found: { graph: string; error: number; psnr: number }[] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return found.map(({ graph, error, psnr }) => ({
    what: `${name}: one call of ${graph}, against the graph for CPUs`,
    unit: 'dB',
    ours: [psnr],
    goal: GOAL,
    note: `relative error against torch ${error.toExponential(1)}`,
  }));
}

async function images(name: Shipped, scratch: string): Promise<Line> {
  const bundle = path.join(scratch, `${name}-${size}-gpu`);
  if (!existsSync(bundle)) await shippedExport(name, { profile: 'gpu', sizes: [size], target: bundle, scratch });
  const general = await load(bundle, 'cpu');
  const forCard = await load(await withDefinedOperators(bundle), 'cuda:0');
  const ratios: number[] = [];
  for (const [seed, prompt] of (await somePrompts(Number(values.count))).entries()) {
    const [expected, found] = [await draw(general, size, prompt, seed), await draw(forCard, size, prompt, seed)];
    ratios.push(peakSignalToNoise(found.image.rgb, expected.image.rgb));
    say(`  ${ratios.at(-1)!.toFixed(1)} dB  ${prompt}`);
  }
  const { steps } = general.bundle.description.defaults;
  return {
    what: `${name}: ${values.count} images of ${size} px, ${steps} steps, against the graphs for CPUs`,
    unit: 'dB',
    ours: ratios,
    goal: GOAL,
    note: `${Math.min(...ratios).toFixed(1)} to ${Math.max(...ratios).toFixed(1)} dB`,
  };
}
