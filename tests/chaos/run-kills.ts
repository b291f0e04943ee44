import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { connect, temporalTarget } from '../../client/index.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { Batches } from './batches.ts';
import { checkBatch, checkStore } from './check-store.ts';
import { type ChaosFleet, startChaosFleet } from './fleet.ts';
import { killPlan, type Victim } from './kill-plan.ts';

export type KillsOptions = {
  kills: number;
  seed: number;
  batchesAtOnce: number;
  /** Called after every kill and every batch. */
  onChange?: (tally: Readonly<Tally>) => void;
};

export type Tally = {
  kills: number;
  killed: Record<Victim, number>;
  /** Batches that completed and were checked, and their jobs. */
  batches: number;
  jobs: number;
  /** Computations beyond one for each image, and of them those that receipts count. */
  computedAgain: number;
  extraComputations: number;
  reused: number;
};

const LOOK_EVERY_MS = 20;
/** A batch that is still not over so long after the last kill is lost. The last attempts of an image are five minutes apart. */
const LONGEST_WAIT_MS = 15 * 60_000;

/**
 * Kills processes of a fleet, by the seed's plan, while batches run one after the other in several lanes; each batch is
 * checked when it is over, and the whole store at the end. Lanes take another batch for as long as there are kills
 * left.
 *
 * @throws Error that tells seed and kill where a batch is lost or the store is not what the plans say
 */
export async function runKills({ kills, seed, batchesAtOnce, onChange = () => {} }: KillsOptions): Promise<Tally> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-kills-'));
  const fleet = await startChaosFleet(folder);
  const client = await connect(temporalTarget({ address: fleet.address }));
  const tally: Tally = {
    kills: 0,
    killed: { child: 0, worker: 0, orchestrator: 0, server: 0 },
    batches: 0,
    jobs: 0,
    computedAgain: 0,
    extraComputations: 0,
    reused: 0,
  };
  const change = (): void => onChange(tally);
  const over = new AbortController();
  try {
    const store = await openStore(pathToFileURL(path.join(folder, 'out')).href);
    const batches = new Batches({ client, store, folder, seed, signal: over.signal });
    const run: Run = { fleet, store, batches, tally, objects: [], change, signal: over.signal };
    const killing = killAll(run, seed, kills);
    const lanes = Array.from({ length: batchesAtOnce }, () => lane(run, kills));
    await withinTime(Promise.all([killing, ...lanes]), killing);
    await checkStore(store, run.objects);
    tally.computedAgain = (await fleet.computations()) - tally.jobs;
    return tally;
  } catch (error) {
    throw new Error(
      `seed ${seed}, after kill ${tally.kills} of ${kills}: ${error instanceof Error ? error.message : error}`,
    );
  } finally {
    over.abort();
    await client.close();
    await fleet.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

type Run = {
  fleet: ChaosFleet;
  store: ObjectStore;
  batches: Batches;
  tally: Tally;
  /** Names that the finished batches should have left in the store. */
  objects: string[];
  change: () => void;
  /** Aborted when the run is over, also by a failure: what still waits then gives up. */
  signal: AbortSignal;
};

async function killAll({ fleet, tally, change, signal }: Run, seed: number, kills: number): Promise<void> {
  for (const kill of killPlan(seed, kills)) {
    const images = fleet.images() + kill.images;
    while (fleet.images() < images) await sleep(LOOK_EVERY_MS, undefined, { signal });
    await sleep(kill.pauseMs, undefined, { signal });
    await fleet.kill(kill);
    tally.kills += 1;
    tally.killed[kill.victim] += 1;
    change();
  }
}

async function lane({ batches, store, tally, objects, change }: Run, kills: number): Promise<void> {
  do {
    const batch = await batches.submit();
    await batches.completed(batch);
    const checked = await checkBatch(store, batch);
    objects.push(...checked.objects);
    tally.batches += 1;
    tally.jobs += checked.objects.length;
    tally.extraComputations += checked.extraComputations;
    tally.reused += checked.reused;
    change();
  } while (tally.kills < kills);
}

async function withinTime(work: Promise<unknown>, killing: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const late = async () => {
    await killing;
    await sleep(LONGEST_WAIT_MS, undefined, { signal: stop.signal });
    throw new Error(`expected every batch to be over ${LONGEST_WAIT_MS / 60_000} minutes after the last kill`);
  };
  try {
    await Promise.race([work, late()]);
  } finally {
    stop.abort();
  }
}
