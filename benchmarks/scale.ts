/**
 * One batch of 100,000 jobs compared with batches of 1,000: whether it completes, how long its workflows' histories
 * grow, how much memory every process needs from start to end, and the cost of a job. The Temporal server runs on its
 * file, the store is a folder, and images are encoded, stored and recorded as usual; only the arithmetic of rendering
 * is left out. Exit code 1 if a history exceeds its limit. `npx tsx benchmarks/scale.ts [--jobs 100000] [--window 100]
 * [--storage file]`
 */
import { parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { sampled } from './process-watch.ts';
import { type Rig, startRig } from './throughput/rig.ts';

const { values } = parseArgs({
  options: {
    jobs: { type: 'string', default: '100000' },
    window: { type: 'string', default: '100' },
    /** The server's storage: `file`, or `memory`, which makes the server's own memory grow with its histories. */
    storage: { type: 'string', default: 'file' },
  },
});
const [jobs, window] = [Number(values.jobs), Number(values.window)];

const SMALL = 1_000;
const SMALL_RUNS = 3;
const MOST_EVENTS = 10_000;
const MOST_BYTES = 10_000_000;
const GOAL = 1.2;

const mean = (numbers: number[]): number => numbers.reduce((sum, value) => sum + value, 0) / numbers.length;

/**
 * Milliseconds for each job: wall time, and processor time of all three processes, which varies less under other load.
 */
type Cost = { ms: number; processorMs: number };

/** Runs on its own server, warmed up by a small batch. */
async function onRig<T>(run: (rig: Rig) => Promise<T>): Promise<T> {
  const rig = await startRig(values.storage === 'memory' ? 'memory' : 'file');
  try {
    await rig.batch(SMALL, window);
    await rig.settled();
    rig.memory.restart();
    return await run(rig);
  } finally {
    await rig.stop();
  }
}

/** The median wall time of some runs, and their mean processor time. */
async function cost(rig: Rig, jobs: number, runs: number): Promise<Cost> {
  const speeds: number[] = [];
  let seconds = 0;
  for (let run = 0; run < runs; run += 1) {
    await rig.settled();
    const before = await rig.processorSeconds();
    speeds.push(await rig.batch(jobs, window));
    seconds += (await rig.processorSeconds()) - before;
  }
  const processorMs = (1_000 * seconds) / (runs * jobs);
  return { ms: 1_000 / speeds.toSorted((a, b) => a - b)[Math.floor(runs / 2)]!, processorMs };
}

async function large(rig: Rig): Promise<Cost> {
  const found = await cost(rig, jobs, 1);
  for (const [name, curve] of Object.entries(rig.memory.curves)) tellMemory(name, curve);
  for (const [type, { events, bytes }] of Object.entries(await rig.longestHistories())) {
    const broken = events > MOST_EVENTS || bytes > MOST_BYTES;
    if (broken) process.exitCode = 1;
    const size = `${(bytes / 1_000_000).toFixed(2)} MB`;
    console.log(`longest history of ${type}: ${events} events, ${size}${broken ? ', beyond its limit' : ''}`);
  }
  return found;
}

const told = ({ ms, processorMs }: Cost): string =>
  `${ms.toFixed(1)} ms a job, ${processorMs.toFixed(1)} ms of processors`;

function tellMemory(name: string, curve: number[]): void {
  const quarter = Math.ceil(curve.length / 4);
  const [first, last] = [mean(curve.slice(0, quarter)), mean(curve.slice(-quarter))];
  console.log(`memory of ${name}, MB: ${sampled(curve, 40).join(' ')}`);
  console.log(`  mean of the first quarter ${first.toFixed(0)}, of the last ${last.toFixed(0)}`);
}

// The SDK would only shut down its workers; this stops the server too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
Runtime.install({ logger: new DefaultLogger('ERROR') });
const small = await onRig((rig) => cost(rig, SMALL, SMALL_RUNS));
console.log(`${SMALL} jobs: ${told(small)} (${SMALL_RUNS} runs)`);
const found = await onRig(large);
console.log(`${jobs} jobs: ${told(found)}`);
const [byClock, byProcessor] = [found.ms / small.ms, found.processorMs / small.processorMs];
console.log(`ratio ${byClock.toFixed(2)}, of processors ${byProcessor.toFixed(2)} (goal: at most ${GOAL})`);
