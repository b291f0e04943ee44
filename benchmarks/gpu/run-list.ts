import type { Budget } from './budget.ts';
import type { Item, Task } from './items.ts';
import type { ItemResult, Results, Sample } from './results.ts';

export type RunOptions = {
  budget: Budget;
  /** Aborted when the time is over; the measurement in hand is dropped. */
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
 * Measures what is not done yet, in the order of the list; adds to `results`. Items that do not fit into the time that is
 * left come after those that do. Nothing that fails stops the rest.
 */
export async function runList(items: readonly Item[], results: Results, options: RunOptions): Promise<void> {
  const { budget, signal, say } = options;
  const passedOver: Item[] = [];
  const about = ({ seconds }: Item): string => `about ${seconds} s of ${Math.floor(budget.left)} s left`;
  for (const item of items) {
    if (signal.aborted) return;
    if (isMeasured(item, results.items[item.name])) continue;
    if (budget.fits(item.seconds)) {
      say(`${item.name}: ${item.what}; ${about(item)}`);
      await runItem(item, results, options);
    } else {
      say(`${item.name}: passed over for now; ${about(item)}`);
      passedOver.push(item);
    }
  }
  // Estimates may be too high, every figure counts, and the machine is paid for.
  for (const item of passedOver) {
    if (signal.aborted || budget.left === 0) return;
    say(`${item.name}: begun, though it may not end in time; ${about(item)}`);
    await runItem(item, results, options);
  }
}

const isMeasured = ({ series, rounds }: Item, found: ItemResult | undefined): boolean =>
  Object.keys(series).every((name) => (found?.series[name]?.length ?? 0) >= rounds);

/** Measures an item's series in turn; one that fails is left out of the later rounds. */
async function runItem(item: Item, results: Results, { signal, measure, save, say }: RunOptions): Promise<void> {
  const { error, ...before } = results.items[item.name] ?? { series: {} };
  const found: ItemResult = { ...before, state: 'partial' };
  results.items[item.name] = found;
  const errors = new Map<string, string>();
  for (let round = 0; round < item.rounds; round += 1) {
    for (const [name, task] of Object.entries(item.series)) {
      const samples = found.series[name] ?? [];
      found.series[name] = samples;
      if (samples.length > round || errors.has(name)) continue;
      try {
        const sample = await measure(task, signal);
        samples.push(sample);
        say(`  ${name}: ${sample.images} in ${sample.seconds.toPrecision(3)} s`);
        if (isMeasured(item, found)) found.state = 'done';
      } catch (error) {
        if (signal.aborted) return say(`  the time is over; ${item.name} continues in the next run`);
        errors.set(name, (error instanceof Error ? error.message : String(error)).trim());
        found.state = 'failed';
        found.error = [...errors].map(([series, message]) => `${series}: ${message}`).join('\n');
        say(`  ${name} failed: ${errors.get(name)}`);
      }
      await save(results);
    }
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
