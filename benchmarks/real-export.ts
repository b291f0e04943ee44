// Memory and time of the export of a whole checkpoint, verification included. Linux only.
// npx tsx benchmarks/real-export.ts --real FOLDER [--for small] [--limited] [--rounds 1] [--scratch FOLDER] [--json]
// --limited runs it in a control group limited to the goal. The bundle stays in the scratch folder, for real-render.ts.

import { rm } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { PART_OPTIONS, realCheckpoint, say, tellLines, withScratch } from './bench/part.ts';
import { exportCommand, realBundle } from './bench/real-bundle.ts';
import { memoryNote, type Watched, watched } from './bench/watched.ts';

const GOAL_GIB = 6;
const GOAL_MINUTES = 20;

const { values } = parseArgs({
  options: { ...PART_OPTIONS, for: { type: 'string', default: 'small' }, limited: { type: 'boolean', default: false } },
});
const checkpoint = realCheckpoint(values.real);

await withScratch(values.scratch, async (scratch) => {
  const bundle = realBundle(scratch, values.for);
  const runs: Watched[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    // The command refuses a folder that is not empty; this one belongs to the bench.
    await rm(bundle, { recursive: true, force: true });
    runs.push(await watched(exportCommand(checkpoint, bundle, values.for), values.limited ? GOAL_GIB : undefined));
    say(`export: ${runs.at(-1)!.memory.total.toFixed(2)} GiB, ${(runs.at(-1)!.seconds / 60).toFixed(1)} min`);
  }
  const what = `export of the whole checkpoint at real size, \`--for ${values.for}\``;
  const memory = runs.map((run) => run.memory.total);
  const minutes = runs.map(({ seconds }) => seconds / 60);
  tellLines(
    [
      {
        what: `${what}: peak memory`,
        unit: 'GiB',
        ours: memory,
        goal: { atMost: GOAL_GIB },
        note: memoryNote(runs[0]!),
      },
      {
        what: `${what}: with verification`,
        unit: 'min',
        ours: minutes,
        goal: { atMost: GOAL_MINUTES },
        note: runs[0]!.limit,
      },
    ],
    values.json,
  );
});
