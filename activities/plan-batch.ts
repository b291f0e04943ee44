import { planCatalog } from '../catalog/plan-catalog.ts';
import type { Shard } from '../catalog/shards.ts';
import type { ChangeCounts } from '../domain/change-counts.ts';
import type { Job } from '../domain/job.ts';
import { UserError } from '../domain/user-error.ts';
import { changesName, shardName } from '../records/layout.ts';
import { encodeJobs } from '../records/plan-and-receipts.ts';
import { changesSince } from '../records/previous-batch.ts';
import { createSame, type ObjectStore, type OpenStore } from '../store/index.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import type { Plan, ShardRef } from '../workflows/contract/plan.ts';
import { Conveniences } from './conveniences.ts';
import { planRetry } from './plan-retry.ts';
import { planOptions, readCatalog } from './read-catalog.ts';

/** In JSON lines every row may have columns of its own, of any length; they travel with the batch. */
const COLUMN_CHARACTERS_TOLD = 4_000;

/**
 * The activity that makes a round's plan and writes it, shard by shard, into the store. A second attempt finds the
 * same shards there.
 *
 * The activity throws UserError where the catalog is wrong or missing, and where the batch was planned otherwise before.
 */
export function createPlanBatch(openStore: OpenStore) {
  return async function planBatch(input: BatchInput): Promise<Plan> {
    const store = await openStore(input.store);
    const { shards, ...more } =
      input.source.kind === 'retry'
        ? await planRetry(store, input, input.source)
        : await planSource(store, input, input.source);
    const refs: ShardRef[] = [];
    for (const [index, { size, jobs }] of shards.entries()) {
      const name = shardName(input.batch, input.round, index);
      await writeShard(store, name, jobs);
      refs.push({ shard: index, size, jobs: jobs.length, name });
    }
    const columns = columnsOf(shards);
    return {
      jobs: refs.reduce((sum, { jobs }) => sum + jobs, 0),
      shards: refs,
      ...(columns !== null && { columns }),
      ...more,
    };
  };
}

async function planSource(
  store: ObjectStore,
  input: BatchInput,
  source: Extract<CatalogSource, { kind: 'catalog' }>,
): Promise<{ shards: Shard[]; changes?: ChangeCounts; warnings?: string[] }> {
  const { batch } = input;
  const bytes = await readCatalog(store, batch, source);
  const { shards } = await planCatalog([bytes], planOptions(store, input, { ...source, file: source.url }));
  const changes = await changesSince(store, source.url, batch);
  if (changes === null) return { shards };
  for (const { jobs } of shards) for (const job of jobs) changes.add(job);
  const conveniences = new Conveniences();
  const name = changesName(batch);
  await conveniences.write(name, () => store.replace(name, changes.csv(), 'text/csv; charset=utf-8'));
  return { shards, changes: changes.counts, warnings: conveniences.warnings };
}

/** Columns that the rows carry along; `null` where they are too many to tell. */
function columnsOf(shards: Shard[]): string[] | null {
  const columns = new Set<string>();
  for (const { jobs } of shards) for (const { metadata } of jobs) for (const name in metadata) columns.add(name);
  const told = [...columns];
  return told.join('').length > COLUMN_CHARACTERS_TOLD ? null : told;
}

async function writeShard(store: ObjectStore, name: string, jobs: Job[]): Promise<void> {
  if (await createSame(store, name, encodeJobs(jobs), 'application/x-ndjson')) return;
  throw new UserError(
    `${name} in ${store.url}: expected the plan of this batch, found another: the folder belongs to an earlier batch of that ` +
      'id with another catalog, bundle or version. Choose another batch id.',
  );
}
