import { MAX_SHARD_JOBS } from '../../catalog/shards.ts';
import { imagesInHand, MAX_WINDOW, SHARDS_AT_ONCE } from '../../workflows/contract/limits.ts';
import { simulated, usualHeartbeats } from './fleet-model.ts';
import { type Costs, fileDatabase, fleetMachines, largeDatabase } from './machines.ts';
import { type Work, workOf } from './point.ts';
import type { Rate } from './rates.ts';

/** What a fleet's GPUs are served by. */
export type Setup = {
  /** Of the server. */
  cores: number;
  /** The file of a development server, or one in which only a workflow's own changes wait for each other, for a time each. */
  database: 'file' | { writeMs: number };
  orchestrators: number;
  /** Batches that run at once, as large as each other. */
  batches: 'one' | 'enough';
};

/** The most images of a size that one batch can have scheduled: two shards of 500. */
const MOST_SCHEDULED = Math.min(MAX_WINDOW, SHARDS_AT_ONCE * MAX_SHARD_JOBS);

/** The simulation is long enough to be past its beginning: every slot has this many images, and there are this many in all. */
const IMAGES_PER_SLOT = 8;
const IMAGES_AT_LEAST = 3_000;

/** What a fleet does by the model. */
export function predicted(rate: Rate, gpus: number, costs: Costs, setup: Setup): Work {
  const inHand = gpus * imagesInHand(1, rate.together);
  const batches = batchesOf(rate, gpus, costs, setup);
  const queued = Math.max(0, batches * MOST_SCHEDULED - inHand);
  const images = Math.max(IMAGES_AT_LEAST, inHand * IMAGES_PER_SLOT) + queued;
  const database = setup.database === 'file' ? fileDatabase(costs) : largeDatabase(costs, setup.database.writeMs);
  const { gpus: records } = simulated(
    { rate, gpus, images, window: MOST_SCHEDULED, batches },
    costs,
    fleetMachines(costs, setup.cores, setup.orchestrators, database),
  );
  return workOf(rate, records, queued);
}

/** With enough batches, twice the images in hand are scheduled, and no shard has much more than half of the changes that it can. */
function batchesOf(rate: Rate, gpus: number, costs: Costs, { batches, database }: Setup): number {
  if (batches === 'one') return 1;
  const scheduled = (2 * gpus * imagesInHand(1, rate.together)) / MOST_SCHEDULED;
  const changed = database === 'file' ? 0 : (2 * gpus * rate.perSecond) / batchLimit(rate, costs, database.writeMs);
  return Math.ceil(Math.max(scheduled, changed));
}

/** Images a second that the changes of one batch's shards allow. */
const batchLimit = (rate: Rate, { changes, heartbeat }: Costs, writeMs: number): number =>
  (1_000 * SHARDS_AT_ONCE) / ((changes + usualHeartbeats(rate) * heartbeat.changes) * writeMs);

/** What a fleet can reach at most, each by itself. */
export const PARTS = ['server', 'database', 'orchestrator', 'batch'] as const;
export type Part = (typeof PARTS)[number];

/** Images a second that each part can serve at most. */
export function limitsOf(rate: Rate, costs: Costs, setup: Setup): Record<Part, number> {
  const { cores, database, orchestrators, batches } = setup;
  const heartbeats = usualHeartbeats(rate);
  const { heartbeat } = costs;
  const none = Number.POSITIVE_INFINITY;
  const scheduled = (MOST_SCHEDULED * rate.perSecond) / imagesInHand(1, rate.together);
  const changes = database === 'file' ? none : batchLimit(rate, costs, database.writeMs);
  return {
    server: (1_000 * cores) / (costs.server + heartbeats * heartbeat.server),
    database: database === 'file' ? 1_000 / (costs.store + heartbeats * heartbeat.store) : none,
    orchestrator: (1_000 * orchestrators) / costs.thread,
    batch: batches === 'one' ? Math.min(scheduled, changes) : none,
  };
}

export type End = {
  /** The most GPUs of which no more than the share is lost; `null` if that is more than the most looked at. */
  gpus: number | null;
  perSecond: number;
  /** The part that can serve the fewest images. */
  by: Part;
};

/** Where a fleet ends: at the most GPUs, up to `most`, that lose no more than a share of their time. */
export function endOf(rate: Rate, costs: Costs, setup: Setup, { share, most }: { share: number; most: number }): End {
  const limits = limitsOf(rate, costs, setup);
  const by = PARTS.toSorted((a, b) => limits[a] - limits[b])[0]!;
  const keeps = (gpus: number): boolean => predicted(rate, gpus, costs, setup).lost <= share;
  let [good, bad] = [0, Math.min(most, Math.ceil((1.1 * limits[by]) / rate.perSecond)) + 1];
  while (bad - good > Math.max(1, 0.02 * good)) {
    const middle = Math.floor((good + bad) / 2);
    if (keeps(middle)) good = middle;
    else bad = middle;
  }
  return { gpus: bad > most ? null : good, perSecond: good * rate.perSecond, by };
}
