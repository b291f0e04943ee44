import type { Budget } from './budget.ts';
import type { Item, Task } from './items.ts';
import type { ItemResult, Results, Sample } from './results.ts';

export type RunOptions = {
  budget: Budget;
  /** Aborted when the time is over: what is in hand is given up then. */
  signal: AbortSignal;
  measure: (task: Task, signal: AbortSignal) => Promise<Sample>;
  /** Called after each sample, and after each item that failed. */
  save: (results: Results) => Promise<void>;
  say: (line: string) => void;
};

/**
 * How much of an item has been measured. The samples decide whether it is done, not the recorded state: that may be from
 * a run with other series, such as one without peers.
 */
export function stateOf(results: Results | null, item: Item): ItemResult['state'] | 'open' {
  const found = results?.items[item.name];
  if (isMeasured(item, found)) return 'done';
  return found?.state === 'done' ? 'partial' : (found?.state ?? 'open');
}

/**
 * Measures what is not done yet, in the order of the list; adds to `results`. An item that does not fit into the time
 * that is left is passed over, since a later one may; one that fails does not stop the others.
 */
export async function runList(items: readonly Item[], results: Results, options: RunOptions): Promise<void> {
  const { budget, signal, say } = options;
  for (const item of items) {
    if (signal.aborted) return;
    if (isMeasured(item, results.items[item.name])) continue;
    if (!budget.fits(item.seconds)) {
      say(`${item.name}: passed over, it takes about ${item.seconds} s and ${Math.floor(budget.left)} s are left`);
      continue;
    }
    say(`${item.name}: ${item.what}; about ${item.seconds} s of ${Math.floor(budget.left)} s left`);
    await runItem(item, results, options);
  }
}

const isMeasured = ({ series, rounds }: Item, found: ItemResult | undefined): boolean =>
  Object.keys(series).every((name) => (found?.series[name]?.length ?? 0) >= rounds);

async function runItem(item: Item, results: Results, { signal, measure, save, say }: RunOptions): Promise<void> {
  const { error, ...before } = results.items[item.name] ?? { series: {} };
  const found: ItemResult = { ...before, state: 'partial' };
  results.items[item.name] = found;
  try {
    for (let round = 0; round < item.rounds; round += 1) {
      for (const [name, task] of Object.entries(item.series)) {
        const samples = found.series[name] ?? [];
        found.series[name] = samples;
        if (samples.length > round) continue;
        const sample = await measure(task, signal);
        samples.push(sample);
        say(`  ${name}: ${sample.images} in ${sample.seconds.toPrecision(3)} s`);
        if (isMeasured(item, found)) found.state = 'done';
        await save(results);
      }
    }
  } catch (error) {
    if (signal.aborted) return say(`  the time is over; ${item.name} goes on in the next run`);
    found.state = 'failed';
    found.error = (error instanceof Error ? error.message : String(error)).trim();
    say(`  failed: ${found.error}`);
    await save(results);
  }
}

/** The list for people: estimates, their sum so far, and what is measured already. */
export function listText(items: readonly Item[], results: Results | null): string {
  let sum = 0;
  const rows = items.map((item) => {
    const state = stateOf(results, item);
    if (state !== 'done') sum += item.seconds;
    const seconds = state === 'done' ? '' : `${item.seconds} s`;
    return `${item.name.padEnd(14)} ${seconds.padStart(6)} ${`${sum} s`.padStart(6)}  ${state.padEnd(7)}  ${item.what}`;
  });
  return [`${'item'.padEnd(14)} ${'about'.padStart(6)} ${'sum'.padStart(6)}  state    what`, ...rows].join('\n');
}
