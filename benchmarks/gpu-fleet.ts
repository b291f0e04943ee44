/**
 * How many GPUs one Temporal server and one orchestrator keep busy. Runs the real server, orchestrator and workers with
 * simulated GPUs, whose speed is an input, from one GPU up to what this machine's cores allow. Then fits a model's costs
 * to these runs, checks the model against them, and extends it to 500 GPUs. Prints Markdown.
 * `npx tsx benchmarks/gpu-fleet.ts [--minutes 6] [--results FILE] [--rates 256:20:2.5:8,512:5:1.4:8] [--gpus 1,2] [--json FILE]`
 */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import type { Size } from '../domain/size.ts';
import { imagesInHand } from '../workflows/contract/limits.ts';
import { machine } from './bench/machine.ts';
import { readResults } from './gpu/results.ts';
import type { Setup } from './gpu-fleet/capacity.ts';
import { costsOf } from './gpu-fleet/costs.ts';
import { type Point, pointOf } from './gpu-fleet/point.ts';
import { GOALS, type Rate, ratesOf, readRates } from './gpu-fleet/rates.ts';
import { checkTable, costTable, endTable, fleetTable } from './gpu-fleet/report.ts';
import { type BatchSize, type FleetRig, startFleetRig } from './gpu-fleet/rig.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '6' },
    rates: { type: 'string' },
    /** Results of `benchmarks/gpu.ts`: speeds of a real GPU. */
    results: { type: 'string' },
    gpus: { type: 'string' },
    /** A file for runs. Those that it already contains are not repeated. */
    json: { type: 'string' },
  },
});

type Measured = Point & BatchSize;

const LADDERS: Record<Size, number[]> = {
  '256': [1, 2, 4, 8, 16],
  '512': [4, 16, 48],
  '1024': [16, 64, 128],
  '2k': [32, 128],
  '4k': [32, 128],
};

/** Two shards of 500. */
const WINDOW = 1_000;

/** When a run uses this share of the cores, no larger fleet is tried. */
const SATURATED = 0.9;

/** For each run: starting its workers, and finishing its batch. */
const AROUND_SECONDS = 8;

const TODAY: Setup = { cores: 2, database: 'file', orchestrators: 1, batches: 'enough' };

/** What a write to a cluster's database may take. An assumption. */
const WRITE_MS = 5;

const cluster = { database: { writeMs: WRITE_MS }, batches: 'enough' } as const;

/** In the order in which a growing fleet would need them. */
const SETUPS: Record<string, Setup> = {
  'one batch, server with 2 cores on its file': { cores: 2, database: 'file', orchestrators: 1, batches: 'one' },
  'server with 8 cores on its file': { ...TODAY, cores: 8 },
  [`8 cores, database with writes of ${WRITE_MS} ms`]: { ...cluster, cores: 8, orchestrators: 1 },
  'and one batch': { ...cluster, cores: 8, orchestrators: 1, batches: 'one' },
  'and 4 orchestrators': { ...cluster, cores: 8, orchestrators: 4 },
};

const cores = availableParallelism();
const results = values.results === undefined ? null : await readResults(values.results);
const goals = results === null ? GOALS : ratesOf(results);
const rates = values.rates === undefined ? goals : readRates(values.rates);
const ladderOf = ({ size }: Rate): number[] => values.gpus?.split(',').map(Number) ?? LADDERS[size];

/** Enough images for some seconds of full work, and at least two for each slot. */
function sizeOf(rate: Rate, gpus: number, seconds: number, atMost: number): BatchSize {
  const slots = gpus * imagesInHand(1, rate.together);
  const window = Math.min(WINDOW, Math.ceil(1.5 * slots));
  const queued = Math.max(0, window - slots);
  const images = Math.ceil(Math.min(gpus * rate.perSecond, atMost) * seconds);
  return { images: Math.max(images, 2 * slots) + queued, window, queued };
}

type Measure = (rate: Rate, gpus: number, size: BatchSize) => Promise<Measured>;

async function climb(measure: Measure, rate: Rate, seconds: number): Promise<Measured[]> {
  const found: Measured[] = [];
  for (const gpus of ladderOf(rate)) {
    const last = found.at(-1);
    if (last !== undefined && last.cores > SATURATED * cores) break;
    // What all cores could make, at the cost of an image in the last run.
    const atMost = last === undefined ? Number.POSITIVE_INFINITY : (last.perSecond * cores) / last.cores;
    found.push(await measure(rate, gpus, sizeOf(rate, gpus, seconds, atMost)));
  }
  return found;
}

/** All runs: from the file, or new ones, which are then added to it. */
async function measured(): Promise<Measured[]> {
  const kept = values.json === undefined ? [] : await readFile(values.json, 'utf8').then(JSON.parse, () => []);
  const known: Measured[] = [...kept];
  const runs = rates.reduce((sum, rate) => sum + ladderOf(rate).length, 0);
  const seconds = Math.max(1, (60 * Number(values.minutes)) / runs - AROUND_SECONDS);
  let rig: FleetRig | null = null;
  const measure: Measure = async (rate, gpus, size) => {
    const same = known.find((point) => isDeepStrictEqual(point.rate, rate) && point.gpus === gpus);
    if (same !== undefined) return same;
    console.error(`${rate.size} px, ${gpus} GPUs: ${size.images} images`);
    rig ??= await startFleetRig();
    const point = { ...pointOf(rate, await rig.run({ rate, gpus }, size), size.queued), ...size };
    known.push(point);
    if (values.json !== undefined) await writeFile(values.json, JSON.stringify(known, null, 2));
    return point;
  };
  try {
    const points: Measured[] = [];
    for (const rate of rates) points.push(...(await climb(measure, rate, seconds)));
    return points;
  } finally {
    await (rig as FleetRig | null)?.stop();
  }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));
Runtime.install({ logger: new DefaultLogger('ERROR') });
const points = await measured();
const costs = costsOf(points);
console.log([...machine(), ''].join('\n'));
console.log(`Measured, processor time in ms an image:\n\n${costTable(points)}\n`);
console.log(
  `The model's costs, times in ms: ${JSON.stringify(costs, (_, value) => (typeof value === 'number' ? Number(value.toFixed(2)) : value))}\n`,
);
console.log(`The model beside these runs, on ${cores} cores for everything:\n\n${checkTable(points, costs, cores)}\n`);
console.log(
  `Computed: images a second, and device time lost, with a server with 2 cores on its file:\n\n${fleetTable(rates, costs, TODAY)}\n`,
);
console.log(endTable(rates, costs, SETUPS));
