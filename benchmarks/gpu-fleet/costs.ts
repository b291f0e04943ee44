import type { Point } from './point.ts';

/** What one image, heartbeat or workflow task costs. */
export type Cost = {
  /** Processor time of the server and of the render workers, in milliseconds. */
  server: number;
  worker: number;
  /** Database calls. */
  calls: number;
  /** Of these, writes to the shard's workflow, which are made one at a time. */
  changes: number;
};

/** What the model works with. Times are in milliseconds. */
export type Costs = {
  image: Cost;
  heartbeat: Cost;
  /** A workflow task handles every image that has ended since the previous one. */
  task: Cost;
  /** How long a database call holds the development server's one connection. */
  callMs: number;
  /** Processor time of the orchestrator for an image. */
  orchestrator: number;
  /** Of its busiest thread, which limits an orchestrator that has cores of its own. */
  thread: number;
  /** From the end of an activity to the start of the next, beyond the work above, when nothing else is running. */
  travel: number;
  /** From a shard's last image to the next shard's first. */
  shard: number;
};

type Figure = (point: Point) => number;

/** The mean of runs, weighted by the cores that they used: costs matter most on a busy machine. */
function mean(points: readonly Point[], of: Figure): number {
  const weight = points.reduce((sum, { cores }) => sum + cores, 0);
  return points.reduce((sum, point) => sum + point.cores * of(point), 0) / weight;
}

/** How often each of them happened for one image. */
const COUNTS = {
  image: () => 1,
  heartbeat: ({ heartbeats }: Point) => heartbeats,
  task: ({ workflowTasks }: Point) => workflowTasks,
};

type Kind = keyof typeof COUNTS;

const KINDS = Object.keys(COUNTS) as Kind[];

/** Rounds of the fit, far more than it needs. */
const ROUNDS = 10_000;

/** Splits what an image cost in each run into its kinds: least squares by coordinate descent, with no cost below zero. */
function split(points: readonly Point[], of: Figure): Record<Kind, number> {
  const found = { image: 0, heartbeat: 0, task: 0 };
  const products = KINDS.map((a) => KINDS.map((b) => mean(points, (point) => COUNTS[a](point) * COUNTS[b](point))));
  const targets = KINDS.map((kind) => mean(points, (point) => COUNTS[kind](point) * of(point)));
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [i, kind] of KINDS.entries()) {
      const others = KINDS.reduce((sum, other, j) => (i === j ? sum : sum + products[i]![j]! * found[other]), 0);
      if (products[i]![i]! > 0) found[kind] = Math.max(0, (targets[i]! - others) / products[i]![i]!);
    }
  return found;
}

/** How long a database call took in a run. It keeps the connection while it waits for a core. */
export const callMsOf = ({ storeMs, storeCalls }: Point): number => storeMs / storeCalls;

/**
 * The model's inputs: processor time and calls from all runs, the wait between images from the run with the least load.
 * Measured images a second are not an input: the model's are checked against them.
 */
export function costsOf(points: readonly Point[]): Costs {
  const server = split(points, ({ processorMs }) => processorMs.server);
  const worker = split(points, ({ processorMs }) => processorMs.workers);
  const calls = split(points, ({ storeCalls }) => storeCalls);
  const changes = split(points, ({ updates }) => updates);
  const of = (kind: Kind): Cost => ({
    ...{ server: server[kind], worker: worker[kind], calls: calls[kind], changes: changes[kind] },
  });
  const calmest = points.toSorted((a, b) => a.cores - b.cores)[0]!;
  return {
    ...{ image: of('image'), heartbeat: of('heartbeat'), task: of('task') },
    callMs: mean(points, callMsOf),
    orchestrator: mean(points, ({ processorMs }) => processorMs.orchestrator),
    thread: mean(points, ({ threadMs }) => threadMs),
    travel: Math.max(0, calmest.refillMs.median - server.image - calls.image * callMsOf(calmest)),
    shard: mean(points, ({ shardPauseMs }) => shardPauseMs),
  };
}
