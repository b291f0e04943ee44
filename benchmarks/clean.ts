/**
 * Whether cleaning a store loses anything that somebody needs: an old night of so many objects is cleaned while batches find some old pictures
 * again. The clean is stopped until a batch has taken up what it is about to remove, goes on, and is killed half way; another does the rest. Afterwards
 * all batches are verified, and the store has to have exactly what they need. Exit code 1 otherwise.
 * `npx tsx benchmarks/clean.ts [--objects 10000] [--reused 100] [--kind folder|bucket] [--json]`
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

// Not without ending the server, which is a process group of its own.
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
