/**
 * Whether cleaning a store loses anything that somebody needs: an old night of so many objects is cleaned beside two batches that find
 * some of its pictures again, one of them submitted meanwhile. The clean is killed half way and another goes on. Afterwards both batches
 * are verified, and the store has to have exactly what they need. Exit code 1 otherwise.
 * `npx tsx benchmarks/clean.ts [--objects 10000] [--reused 200] [--kind folder|bucket] [--json]`
 */
import { parseArgs } from 'node:util';
import { cleanBesideBatches } from '../tests/cleaning/beside-batches.ts';

const { values } = parseArgs({
  options: {
    objects: { type: 'string', default: '10000' },
    reused: { type: 'string', default: '200' },
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
    say: (text) => console.error(text),
  });
  if (values.json) console.log(JSON.stringify(result));
  else console.table(result);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
