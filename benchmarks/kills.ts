/**
 * Whether batches survive a night of kills: the server on its file, orchestrators, render workers and their renderer
 * children are real processes, and while batches run, `kill -9` hits one of them every second or two, by a plan that
 * depends on the seed. When a batch ends, its plan, receipts, manifest, copies and objects have to agree. The first
 * that does not ends the run with exit code 1. `npx tsx benchmarks/kills.ts [--kills 1000] [--seed 1] [--json]`
 */
import { parseArgs } from 'node:util';
import { runKills, type Tally } from '../tests/chaos/run-kills.ts';

const PROGRESS_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
  },
});
const [kills, seed] = [Number(values.kills), Number(values.seed)];
const began = performance.now();
const seconds = (): number => Math.round((performance.now() - began) / 1_000);

let toldAt = 0;
function tell({ kills: done, killed, batches, jobs, extraComputations }: Readonly<Tally>): void {
  if (performance.now() - toldAt < PROGRESS_EVERY_MS) return;
  toldAt = performance.now();
  const by = Object.entries(killed).map(([victim, count]) => `${victim} ${count}`);
  console.error(
    `${seconds()} s: kill ${done} of ${kills} (${by.join(', ')}); ${batches} batches with ${jobs} images done, ` +
      `${extraComputations} extra computations`,
  );
}

// Also stops the server, which is in its own process group.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

try {
  const { killed, ...tally } = await runKills({ kills, seed, batchesAtOnce: 6, onChange: tell });
  const result = { seed, seconds: seconds(), ...tally, ...killed };
  if (values.json) console.log(JSON.stringify(result));
  else console.table(result);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}
