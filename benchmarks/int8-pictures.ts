// What int8 changes: the same prompts and seeds with two bundles in turn, say float32 and int8; of each picture the peak
// signal-to-noise ratio, then the median and the lowest, and processor seconds of both.
// npx tsx benchmarks/int8-pictures.ts <bundle> <other bundle> [--size 256] [--count 50] [--keep <folder>]

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { nearestBin } from '../domain/bins.ts';
import { type Size, sizeSchema } from '../domain/size.ts';
import { loadPipeline, openBundle, type PaintedImage, type Pipeline } from '../models/pixart/index.ts';

const OBJECTS = join(import.meta.dirname, '../models/training/objects.json');
const STYLES = ['a flat', 'a glossy'];
const GROUNDS = ['a white', 'a navy', 'a teal', 'an orange', 'a purple', 'a sunset gradient', 'a black'];

/** Every other object that the shipped model knows, alone; styles and backgrounds alternate. */
async function somePrompts(count: number): Promise<string[]> {
  const objects = Object.keys(JSON.parse(await readFile(OBJECTS, 'utf8')));
  return Array.from({ length: count }, (_, index) => {
    const object = objects[(2 * index) % objects.length];
    return `${STYLES[index % STYLES.length]} ${object} on ${GROUNDS[index % GROUNDS.length]} background`;
  });
}

const load = async (folder: string): Promise<Pipeline> =>
  loadPipeline(await openBundle(folder), { device: 'cpu', threads: 1 });

async function draw(pipeline: Pipeline, size: Size, prompt: string, seed: number) {
  const bin = nearestBin(size, 1, 1);
  const { defaults } = pipeline.bundle.description;
  const before = process.cpuUsage();
  const image = await pipeline.render({ prompt, negativePrompt: '', size, ...bin, bin, seed, ...defaults });
  const { user, system } = process.cpuUsage(before);
  return { image, seconds: (user + system) / 1e6 };
}

/** Of two pictures, in dB; infinite where they are equal. */
function signalToNoise(a: Uint8Array, b: Uint8Array): number {
  const squares = a.reduce((sum, value, index) => sum + (value - b[index]!) ** 2, 0);
  return 10 * Math.log10((255 ** 2 * a.length) / squares);
}

const keepPng = ({ rgb, width, height }: PaintedImage, file: string) =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);

const median = (values: number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', default: '256' },
    count: { type: 'string', default: '50' },
    keep: { type: 'string' },
  },
});
const size = sizeSchema.parse(values.size);
const pipelines = await Promise.all(positionals.slice(0, 2).map(load));
if (values.keep !== undefined) await mkdir(values.keep, { recursive: true });
const ratios: number[] = [];
const seconds: [number[], number[]] = [[], []];
for (const [seed, prompt] of (await somePrompts(Number(values.count))).entries()) {
  const drawn = [await draw(pipelines[0]!, size, prompt, seed), await draw(pipelines[1]!, size, prompt, seed)] as const;
  ratios.push(signalToNoise(drawn[0].image.rgb, drawn[1].image.rgb));
  for (const side of [0, 1] as const) {
    seconds[side].push(drawn[side].seconds);
    if (values.keep !== undefined) await keepPng(drawn[side].image, join(values.keep, `${seed}-${side}.png`));
  }
  console.log(`${ratios.at(-1)!.toFixed(1)} dB  ${prompt}`);
}
console.log(
  `${ratios.length} pictures of ${size} px: median ${median(ratios).toFixed(1)} dB, lowest ${Math.min(...ratios).toFixed(1)} dB; ` +
    `processor seconds of a picture, median: ${median(seconds[0]).toFixed(2)} and ${median(seconds[1]).toFixed(2)}`,
);
