// Memory of all processes and time of `render` for one image with a checkpoint of real size. Linux only.
// npx tsx benchmarks/real-render.ts --real FOLDER [--size 256 --size 512] [--for small] [--steps 20] [--limited] [--peer] [--rounds 1] [--scratch FOLDER] [--json]
// Exports the bundle to the scratch folder if it is not there. --limited runs it in a control group limited to the goal.
// --peer compares it with diffusers in bf16 (12 GB and more).

import path from 'node:path';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, realCheckpoint, say, tellLines, withScratch } from './bench/part.ts';
import { madeRealBundle, ROOT } from './bench/real-bundle.ts';
import type { Line } from './bench/report.ts';
import { memoryNote, type Watched, watched } from './bench/watched.ts';

const GOAL_GIB = 5;
const PROMPT = 'a red apple and a blue umbrella on a yellow background';

const { values } = parseArgs({
  options: {
    ...PART_OPTIONS,
    size: { type: 'string', multiple: true, default: ['256', '512'] },
    for: { type: 'string', default: 'small' },
    steps: { type: 'string', default: '20' },
    limited: { type: 'boolean', default: false },
    peer: { type: 'boolean', default: false },
  },
});
const checkpoint = realCheckpoint(values.real);

await withScratch(values.scratch, async (scratch) => {
  const bundle = madeRealBundle(checkpoint, scratch, values.for);
  const lines: Line[] = [];
  for (const size of values.size) lines.push(...(await compare(bundle, size, scratch)));
  tellLines(lines, values.json);
});

async function compare(bundle: string, size: string, scratch: string): Promise<Line[]> {
  const options = ['--size', size, '--steps', values.steps];
  const out = ['--out', path.join(scratch, `real-${size}.png`), '--force'];
  const render = [
    process.execPath,
    path.join(ROOT, 'cli/bin.mjs'),
    'render',
    PROMPT,
    '--bundle',
    bundle,
    ...options,
    ...out,
  ];
  const diffusers = [path.join(ROOT, 'models/python.sh'), path.join(ROOT, 'benchmarks/peer/diffusers_render.py')];
  const ours: Watched[] = [];
  const theirs: Watched[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    ours.push(await watched(render, values.limited ? GOAL_GIB : undefined));
    say(`${size} px: ${ours.at(-1)!.memory.total.toFixed(2)} GiB, ${ours.at(-1)!.seconds.toFixed(0)} s`);
    if (values.peer) {
      theirs.push(await watched([...diffusers, checkpoint, ...options]));
      say(`  diffusers: ${theirs.at(-1)!.memory.total.toFixed(2)} GiB, ${theirs.at(-1)!.seconds.toFixed(0)} s`);
    }
  }
  const what = `one image at real size, \`--for ${values.for}\`, ${size} px, ${values.steps} steps, from command to file`;
  const peer = (value: (run: Watched) => number) =>
    theirs.length > 0 ? { peer: { name: 'diffusers bf16', runs: theirs.map(value) } } : {};
  const memory = (run: Watched): number => run.memory.total;
  const seconds = (run: Watched): number => run.seconds;
  const note = memoryNote(ours[0]!);
  return [
    {
      what: `${what}: peak memory`,
      unit: 'GiB',
      ours: ours.map(memory),
      ...peer(memory),
      goal: { atMost: GOAL_GIB },
      note,
    },
    { what, unit: 's', ours: ours.map(seconds), ...peer(seconds), note: ours[0]!.limit },
  ];
}
