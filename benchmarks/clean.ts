/**
 * Whether cleaning a store loses anything that is needed: an old night of `--objects` objects is cleaned while batches
 * reuse some of its images. The clean is paused until a batch has reused an image that it is about to remove, resumes,
 * and is killed half way; another clean finishes the job. Then all batches are verified, and the store has to hold
 * exactly the objects that they need; if not, the exit code is 1. `npx tsx benchmarks/clean.ts [--objects 10000]
 * [--reused 100] [--kind folder|bucket] [--json]`
 */
import { parseArgs } from 'node:util';
import { cleanBesideBatches } from '../tests/cleaning/beside-batches.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    reused: { type: 'string', default: '100' },
    kind: { type: 'string', default: 'folder' },
    json: { type: 'boolean', default: false },
  },
});

// Also stops the server, which is in its own process group.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  const result = await cleanBesideBatches({
    kind: values.kind === 'bucket' ? 'bucket' : 'folder',
    unneeded: Number(values.objects),
    reused: Number(values.reused),
    say: (text) => console.error(`${Math.round(performance.now() / 1_000)} s: ${text}`),
  });
  if (values.json) console.log(JSON.stringify(result));
  else console.table(result);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
