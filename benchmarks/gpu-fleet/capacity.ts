import { MAX_SHARD_JOBS } from '../../catalog/shards.ts';
import { imagesInHand, MAX_WINDOW, SHARDS_AT_ONCE } from '../../workflows/contract/limits.ts';
import type { Cost, Costs } from './costs.ts';
import { simulated, usualHeartbeats } from './fleet-model.ts';
import { type FleetMachines, fleetMachines } from './machines.ts';
import { type Work, workOf } from './point.ts';
import type { Rate } from './rates.ts';

/** What serves a fleet's GPUs, and whether all images are one batch or as many batches as it takes. */
export type Setup = FleetMachines & { batches: 'one' | 'enough' };

/** The most images of a size that one batch can have scheduled: two shards of 500. */
const MOST_SCHEDULED = Math.min(MAX_WINDOW, SHARDS_AT_ONCE * MAX_SHARD_JOBS);

/** Of a computed fleet, once what it had scheduled at its start has left the queue: for each slot, and in all. */
const IMAGES_PER_SLOT = 8;
const IMAGES_AT_LEAST = 3_000;

/** What the model computes for a fleet. */
export function predicted(rate: Rate, gpus: number, costs: Costs, setup: Setup): Work {
  const inHand = gpus * imagesInHand(1, rate.together);
  const batches = batchesOf(rate, gpus, costs, setup);
  const scheduled = batches * MOST_SCHEDULED;
  const queued = Math.max(0, scheduled - inHand);
  const images = scheduled + Math.max(IMAGES_AT_LEAST, inHand * IMAGES_PER_SLOT) + queued;
  const fleet = { rate, gpus, images, window: MOST_SCHEDULED, batches };
  const { gpus: records } = simulated(fleet, costs, (agenda) => fleetMachines(agenda, costs, setup));
  return workOf(rate, records, { first: scheduled, queued });
}

/** Enough batches to schedule twice the images in hand, and to leave half of each shard's possible changes unused. */
function batchesOf(rate: Rate, gpus: number, costs: Costs, { batches, database }: Setup): number {
  if (batches === 'one') return 1;
  const scheduled = (2 * gpus * imagesInHand(1, rate.together)) / MOST_SCHEDULED;
  const changed = database === 'file' ? 0 : (2 * gpus * rate.perSecond) / batchLimit(rate, costs, database.writeMs);
  return Math.ceil(Math.max(scheduled, changed));
}

/** What an image costs with its heartbeats and some workflow tasks. */
const whole = (rate: Rate, { image, heartbeat, task }: Costs, of: keyof Cost, tasks: number): number =>
  image[of] + usualHeartbeats(rate) * heartbeat[of] + tasks * task[of];

/** Images a second that the changes of one batch's shards allow. */
const batchLimit = (rate: Rate, costs: Costs, writeMs: number, tasks = 0): number =>
  (1_000 * SHARDS_AT_ONCE) / (whole(rate, costs, 'changes', tasks) * writeMs);

/** What can limit a fleet. */
export const PARTS = ['server', 'database', 'orchestrator', 'batch'] as const;
export type Part = (typeof PARTS)[number];

/**
 * The most images a second that each part can serve.
 * @param tasks workflow tasks for an image: next to none where a shard has many images that end, else up to one
 */
export function limitsOf(rate: Rate, costs: Costs, setup: Setup, tasks = 0): Record<Part, number> {
  const { cores, database, orchestrators, batches } = setup;
  const none = Number.POSITIVE_INFINITY;
  const scheduled = (MOST_SCHEDULED * rate.perSecond) / imagesInHand(1, rate.together);
  const changes = database === 'file' ? none : batchLimit(rate, costs, database.writeMs, tasks);
  return {
    server: (1_000 * cores) / whole(rate, costs, 'server', tasks),
    database: database === 'file' ? 1_000 / (whole(rate, costs, 'calls', tasks) * costs.callMs) : none,
    orchestrator: (1_000 * orchestrators) / costs.thread,
    batch: batches === 'one' ? Math.min(scheduled, changes) : none,
  };
}

export type End = {
  /** The most GPUs that lose no more than the share; `null` if that is more than `most`. */
  gpus: number | null;
  perSecond: number;
  /** The part that can serve the fewest images, each with a workflow task of its own. */
  by: Part;
};

/** Where a fleet ends: at the most GPUs, up to `most`, that lose no more than a share of their time. */
export function endOf(rate: Rate, costs: Costs, setup: Setup, { share, most }: { share: number; most: number }): End {
  const limits = limitsOf(rate, costs, setup, 1);
  const by = PARTS.toSorted((a, b) => limits[a] - limits[b])[0]!;
  const perSecond = Math.min(...Object.values(limitsOf(rate, costs, setup)));
  const keeps = (gpus: number): boolean => predicted(rate, gpus, costs, setup).lost <= share;
  let [good, bad] = [0, Math.min(most, Math.ceil((1.1 * perSecond) / rate.perSecond)) + 1];
  while (bad - good > Math.max(1, 0.02 * good)) {
    const middle = Math.floor((good + bad) / 2);
    if (keeps(middle)) good = middle;
    else bad = middle;
  }
  return { gpus: bad > most ? null : good, perSecond: good * rate.perSecond, by };
}
