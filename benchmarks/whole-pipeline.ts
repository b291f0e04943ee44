// One image of the default bundle, from prompt to pixels, in float32 and int8, and in diffusers' pipeline with the same
// weights, in turn: processor seconds, and the difference between images with the same prompt and seed.
// npx tsx benchmarks/whole-pipeline.ts [--size 256 --size 512] [--threads 1] [--rounds 3] [--scratch FOLDER] [--json]

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, tellLines, withScratch } from './bench/part.ts';
import { likeness } from './bench/pictures.ts';
import { ROOT } from './bench/real-bundle.ts';
import type { Line } from './bench/report.ts';
import { type Entry, inTurn } from './bench/rounds.ts';
import { int8Bundle, shippedBundle } from './bench/shipped-export.ts';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    size: { type: 'string', multiple: true, default: ['256', '512'] },
    threads: { type: 'string', default: '1' },
  },
});
const PYTHON = path.join(ROOT, 'models/python.sh');

const GOALS: Record<string, { float32: number; int8: number }> = {
  256: { float32: 2, int8: 3 },
  512: { float32: 1.5, int8: 2 },
};

await withScratch(values.scratch, async (scratch) => {
  const int8 = await int8Bundle('pixart-icons', scratch);
  const lines: Line[] = [];
  for (const size of values.size) lines.push(...(await compare(size, int8, scratch)));
  tellLines(lines, values.json);
});

async function compare(size: string, int8: string, scratch: string): Promise<Line[]> {
  const keep = (name: string): string => path.join(scratch, `${name}-${size}.rgb`);
  const options = (name: string) => ['--size', size, '--threads', values.threads, '--keep', keep(name)];
  const ours = (name: string, bundle: string): Entry => ({
    name,
    command: [process.execPath, '--import', 'tsx', script('our-pipeline.ts'), '--bundle', bundle, ...options(name)],
  });
  const entries = [
    ours('float32', shippedBundle('pixart-icons')),
    ours('int8', int8),
    { name: 'diffusers', command: [PYTHON, script('diffusers_loop.py'), ...options('diffusers')] },
  ];
  const measured = await inTurn(entries, Number(values.rounds));
  const peer = measured.find(({ name }) => name === 'diffusers')!;
  const theirs = await readFile(keep('diffusers'));
  const lines: Line[] = [];
  for (const { name, seconds } of measured.filter((one) => one !== peer)) {
    const goal = GOALS[size]?.[name as 'float32' | 'int8'];
    lines.push({
      what: `an image of the default bundle, whole pipeline, ${name}, ${size} px, 20 steps, threads: ${values.threads}`,
      unit: 'processor s',
      ours: seconds,
      peer: { name: 'diffusers float32', runs: peer.seconds },
      ...(goal === undefined ? {} : { goal: { ratio: goal } }),
      note: `${likeness(await readFile(keep(name)), theirs)}; ${peer.version}`,
    });
  }
  return lines;
}

function script(name: string): string {
  return path.join(ROOT, 'benchmarks/peer', name);
}
