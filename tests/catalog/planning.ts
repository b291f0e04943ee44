import { type CatalogPlan, type PlanOptions, planCatalog } from '../../catalog/plan-catalog.ts';
import { CatalogError } from '../../catalog/problems.ts';
import type { Job } from '../../domain/job.ts';

export const options: PlanOptions = {
  file: 'catalog.csv',
  format: 'csv',
  columns: {},
  defaults: { size: '512', format: 'png', quality: null },
  bundle: {
    name: 'sigma',
    digest: 'a'.repeat(64),
    sizes: ['256', '512', '4k'],
    defaults: { steps: 20, guidance: 4.5 },
  },
  pipelineVersion: 1,
};

export const plan = (catalog: string | Uint8Array, changes: Partial<PlanOptions> = {}): Promise<CatalogPlan> =>
  planCatalog([typeof catalog === 'string' ? Buffer.from(catalog) : catalog], { ...options, ...changes });

/** A plan's jobs in catalog order. */
export async function jobsOf(catalog: string | Uint8Array, changes: Partial<PlanOptions> = {}): Promise<Job[]> {
  const { shards } = await plan(catalog, changes);
  return shards
    .flatMap(({ jobs }) => jobs)
    .toSorted((a, b) => a.line - b.line || a.id.localeCompare(b.id, 'en', { numeric: true }));
}

/** The error of a catalog that must not plan. */
export async function errorOf(catalog: string | Uint8Array, changes: Partial<PlanOptions> = {}): Promise<CatalogError> {
  const error: unknown = await plan(catalog, changes).then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof CatalogError) return error;
  throw new Error(`expected a CatalogError, got ${String(error)}`);
}

/** Its problems, one line each, as in the message. */
export async function problemsOf(catalog: string | Uint8Array, changes: Partial<PlanOptions> = {}): Promise<string[]> {
  const { message } = await errorOf(catalog, changes);
  return message.split('\n  ').slice(1);
}
