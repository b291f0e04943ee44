/**
 * How much of Temporal's own speed a batch keeps: the jobs a second of a batch with a renderer that only returns small
 * images, which are encoded, stored and recorded as usual, beside a bare workflow with the same number of activities
 * that do nothing, with the same window on the same server. `npx tsx benchmarks/throughput.ts [--jobs 5000] [--runs 3]
 * [--window 100]`
 */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { sampled } from './process-watch.ts';
import { startRig } from './throughput/rig.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '5000' },
    runs: { type: 'string', default: '3' },
    window: { type: 'string', default: '100' },
  },
});
const [jobs, runs, window] = [Number(values.jobs), Number(values.runs), Number(values.window)];

const median = (numbers: number[]): number => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? NaN;

async function measure(storage: 'memory' | 'file'): Promise<void> {
  const pairs: { bare: number; batch: number }[] = [];
  for (let run = 1; run <= runs; run += 1) {
    // A new server for each pair: a growing file would slow down whatever runs last.
    const rig = await startRig(storage);
    const bareFirst = run % 2 === 1;
    const before = bareFirst ? await rig.bare(jobs, window) : 0;
    const batch = await rig.batch(jobs, window);
    await rig.settled();
    const bare = bareFirst ? before : await rig.bare(jobs, window);
    pairs.push({ bare, batch });
    const histories = await rig.longestHistories();
    const longest = Object.entries(histories).map(([type, { events, bytes }]) => `${type} ${events} (${bytes} B)`);
    console.log(
      `${storage} run ${run}: bare ${bare.toFixed(1)}/s, batch ${batch.toFixed(1)}/s, ${(batch / bare).toFixed(2)}`,
    );
    console.log(`  longest histories, events: ${longest.join(', ')}`);
    console.log(`  workflow process, MB by the second: ${sampled(rig.memory.curves.workflows, 30).join(' ')}`);
    await rig.stop();
  }
  const ratio = median(pairs.map(({ bare, batch }) => batch / bare));
  const bare = median(pairs.map((pair) => pair.bare));
  const batch = median(pairs.map((pair) => pair.batch));
  console.log(
    `${storage}, median of ${runs}, ${jobs} jobs, window ${window}: bare ${bare.toFixed(1)}/s, batch ${batch.toFixed(1)}/s, ` +
      `ratio ${ratio.toFixed(2)}\n`,
  );
}

Runtime.install({ logger: new DefaultLogger('ERROR') });
await measure('memory');
await measure('file');
