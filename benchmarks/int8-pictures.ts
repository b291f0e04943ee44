// What int8 changes: renders the same prompts and seeds with two bundles in turn, such as float32 and int8. Prints each
// image's peak signal-to-noise ratio, their median and minimum, and the processor seconds of both.
// npx tsx benchmarks/int8-pictures.ts [<bundle> <other bundle>] [--size 256] [--count 50] [--keep <folder>] [--scratch <folder>] [--json]
// Default: the shipped bundles, and the same weights exported with `--for cpu`.

import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { sizeSchema } from '../domain/size.ts';
import type { PaintedImage } from '../models/pixart/index.ts';
import { draw, load, somePrompts } from './bench/drawing.ts';
import { PART_OPTIONS, say, tellLines, withScratch } from './bench/part.ts';
import { peakSignalToNoise } from './bench/pictures.ts';
import type { Line } from './bench/report.ts';
import { int8Bundle, SHIPPED, shippedBundle } from './bench/shipped-export.ts';
import { runInRendererEnvironment } from './renderer-environment.ts';

runInRendererEnvironment();

const keepPng = ({ rgb, width, height }: PaintedImage, file: string) =>
  sharp(rgb, { raw: { width, height, channels: 3 } })
    .png()
    .toFile(file);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    ...PART_OPTIONS,
    size: { type: 'string', default: '256' },
    count: { type: 'string', default: '50' },
    keep: { type: 'string' },
  },
});
const size = sizeSchema.parse(values.size);
if (values.keep !== undefined) await mkdir(values.keep, { recursive: true });
const [plain, other] = positionals;
if (plain !== undefined && other !== undefined) tellLines(await compare(plain, other), values.json);
else
  await withScratch(values.scratch, async (scratch) => {
    const lines: Line[] = [];
    for (const name of SHIPPED) lines.push(...(await compare(shippedBundle(name), await int8Bundle(name, scratch))));
    tellLines(lines, values.json);
  });

async function compare(...folders: [string, string]): Promise<Line[]> {
  const pipelines = await Promise.all(folders.map((folder) => load(folder, 'cpu')));
  const ratios: number[] = [];
  const seconds: [number[], number[]] = [[], []];
  for (const [seed, prompt] of (await somePrompts(Number(values.count))).entries()) {
    const drawn = [
      await draw(pipelines[0]!, size, prompt, seed),
      await draw(pipelines[1]!, size, prompt, seed),
    ] as const;
    ratios.push(peakSignalToNoise(drawn[0].image.rgb, drawn[1].image.rgb));
    for (const side of [0, 1] as const) {
      seconds[side].push(drawn[side].seconds);
      if (values.keep !== undefined) await keepPng(drawn[side].image, join(values.keep, `${seed}-${side}.png`));
    }
    say(`  ${ratios.at(-1)!.toFixed(1)} dB  ${prompt}`);
  }
  const what = `${basename(folders[0])} in int8, ${values.count} prompts, ${size} px`;
  return [
    {
      what: `${what}: likeness to float32`,
      unit: 'dB',
      ours: ratios,
      goal: { atLeast: 35 },
      note: `lowest ${Math.min(...ratios).toFixed(1)} dB`,
    },
    { what, unit: 'processor s', ours: seconds[1], peer: { name: 'float32', runs: seconds[0] } },
  ];
}
