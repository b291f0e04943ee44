import { planCatalog } from '../catalog/plan-catalog.ts';
import { CatalogError } from '../catalog/problems.ts';
import type { Shard } from '../catalog/shards.ts';
import type { ChangeCounts } from '../domain/change-counts.ts';
import type { Job } from '../domain/job.ts';
import { COLUMNS } from '../domain/parameters.ts';
import type { Summaries } from '../domain/summaries.ts';
import { gathered, Turns } from '../domain/turns.ts';
import { UserError } from '../domain/user-error.ts';
import { changesName, shardName } from '../records/layout.ts';
import { encodeJobs } from '../records/plan-and-receipts.ts';
import { changesSince } from '../records/previous-batch.ts';
import { readRates } from '../records/rates.ts';
import { checkNotRemoved } from '../records/removal.ts';
import { keepRound } from '../records/rounds.ts';
import { createSame, type ObjectStore, type OpenStore, type Sources, shownPlace } from '../store/index.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import type { Plan, ShardRef } from '../workflows/contract/plan.ts';
import { roundSettings } from '../workflows/contract/round.ts';
import { Conveniences } from './conveniences.ts';
import { keepWithinLimits } from './keep-within-limits.ts';
import { planRetry } from './plan-retry.ts';
import { planOptions, readCatalog } from './read-catalog.ts';

/** In JSON lines every row may have different columns, of any length; they are carried along with the batch. */
const COLUMN_CHARACTERS_TOLD = 4_000;

type PlanDependencies = {
  openStore: OpenStore;
  sources: Sources;
  /** @throws UserError for a receiver that no message would be sent to */
  webhooks: { check(receiver: string): void };
  summaries?: Summaries | undefined;
};

/**
 * The activity that makes a round's plan and writes it, shard by shard, into the store. A second attempt finds the same
 * shards there.
 *
 * The activity throws UserError where the catalog is wrong or missing, where the batch was planned otherwise before,
 * where it is being removed, and where it would render more than the store's limits leave.
 */
export function createPlanBatch({ openStore, sources, webhooks, summaries }: PlanDependencies) {
  return async function planBatch(input: BatchInput): Promise<Plan> {
    try {
      return await plan(input);
    } catch (error) {
      throw summaries === 'ids' && error instanceof CatalogError ? error.withoutCells() : error;
    }
  };

  async function plan(input: BatchInput): Promise<Plan> {
    const store = await openStore(input.store);
    const conveniences = new Conveniences();
    const { shards, carried, ...more } =
      input.source.kind === 'retry'
        ? await planRetry(store, input, input.source, sources)
        : await planSource(store, input, input.source, sources, conveniences);
    await keepWithinLimits(store, input, shards);
    const refs: ShardRef[] = [];
    for (const [index, { size, jobs }] of shards.entries()) {
      const name = shardName(input.batch, input.round, index);
      await writeShard(store, name, jobs);
      refs.push({ shard: index, size, jobs: jobs.length, name });
    }
    await noteRound(store, input);
    await checkNotRemoved(store, input.batch);
    if (input.webhook !== undefined) warnOfSilence(input.webhook, webhooks, conveniences);
    const { warnings } = conveniences;
    const isTold = carried.join('').length <= COLUMN_CHARACTERS_TOLD;
    return {
      jobs: refs.reduce((sum, { jobs }) => sum + jobs, 0),
      shards: refs,
      ...(isTold && { columns: carried }),
      ...more,
      ...(warnings.length > 0 && { warnings }),
    };
  }
}

async function planSource(
  store: ObjectStore,
  input: BatchInput,
  source: Extract<CatalogSource, { kind: 'catalog' }>,
  sources: Sources,
  conveniences: Conveniences,
): Promise<{ shards: Shard[]; carried: string[]; changes?: ChangeCounts }> {
  const { batch } = input;
  const bytes = await readCatalog(store, batch, source, sources);
  const options = planOptions(store, input, { ...source, file: shownPlace(source.url) }, sources);
  const { shards, summary } = await planCatalog([bytes], options);
  const carried = summary.metadata;
  // Against fresh seeds everything would have changed.
  const isFresh = input.defaults.seeds === 'fresh';
  const changes = isFresh ? null : await changesSince(store, source.url, conveniences.warn, batch);
  if (changes === null) return { shards, carried };
  const turns = new Turns();
  for (const { jobs } of shards) {
    for (const job of jobs) {
      changes.add(job);
      await turns.after(COLUMNS.length);
    }
  }
  const name = changesName(batch);
  const table = await gathered(changes.csv());
  await conveniences.write(name, () => store.replace(name, table, 'text/csv; charset=utf-8'));
  return { shards, carried, changes: changes.counts };
}

/** A refused webhook would go unnoticed at the batch's end. It is no reason not to render. */
function warnOfSilence(webhook: string, webhooks: PlanDependencies['webhooks'], conveniences: Conveniences): void {
  try {
    webhooks.check(webhook);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    conveniences.warn(`no message will say how this batch ends: ${error.message}`);
  }
}

/**
 * Nothing is noted of a round whose plan could not be made. It was noted before where a retry began it, an earlier
 * attempt planned it, or it is submitted again.
 */
async function noteRound(store: ObjectStore, input: BatchInput): Promise<void> {
  const { batch, round, webhook, bundle } = input;
  // If they are damaged, the batch's end reports that, and writes them again.
  const rates = (await readRates(store, bundle.digest, () => {})) ?? undefined;
  await keepRound(store, { batch, round, settings: roundSettings(input), hasWebhook: webhook !== undefined, rates });
}

async function writeShard(store: ObjectStore, name: string, jobs: Job[]): Promise<void> {
  if (await createSame(store, name, await encodeJobs(jobs), 'application/x-ndjson')) return;
  throw new UserError(
    `${name} in ${shownPlace(store.url)}: expected the plan of this batch, found a different one: the folder belongs to an earlier batch with this ` +
      'id with another catalog, bundle or version. Choose another batch id.',
  );
}
