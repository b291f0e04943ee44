import { catalogJobs } from '../catalog/plan-catalog.ts';
import { CatalogError } from '../catalog/problems.ts';
import { type BundleRef, shortDigest } from '../domain/bundle-ref.ts';
import { CATALOG_FORMATS } from '../domain/catalog-settings.ts';
import type { Job } from '../domain/job.ts';
import { pipelineVersionOf } from '../domain/render-key.ts';
import { UserError } from '../domain/user-error.ts';
import { bundleRef } from '../models/pixart/bundle.ts';
import { openBundles } from '../models/pixart/installed-bundles.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import type { BatchRow } from '../records/batch-rows.ts';
import { catalogName } from '../records/layout.ts';
import { readJobs } from '../records/plan-and-receipts.ts';
import { type ObjectStore, readIfThere, shownPlace } from '../store/index.ts';
import type { BatchInput, CatalogReading, JobDefaults } from '../workflows/contract/batch.ts';
import { USUAL_SETTINGS } from './request.ts';

type Premises = Pick<BatchInput, 'bundle' | 'defaults' | 'window' | 'maxFailures'>;

/**
 * Infers the settings of a batch from its plan alone, for batches of versions that stored nothing else.
 *
 * @param asked a candidate bundle; default: the installed ones are tried
 * @throws UserError if none of them fits
 */
export async function planPremises(
  store: ObjectStore,
  batch: string,
  firstPiece: string,
  asked?: BundleRef,
): Promise<Premises> {
  const job = await firstJob(store, firstPiece);
  const candidates = asked === undefined ? (await openBundles()).map(bundleRef) : [asked];
  const bundle = candidates.find(({ digest }) => pipelineVersionOf(job, digest, PIPELINE_VERSION) !== null);
  if (bundle === undefined) {
    const tried = candidates.map(({ name, digest }) => `${name} (${shortDigest(digest)})`).join(', ') || 'none';
    throw new UserError(
      `batch ${batch}: expected the bundle that it was planned with, of which an earlier version kept only the render keys; found ` +
        `${tried}, whose keys differ. Name it with --bundle`,
    );
  }
  const { format, quality } = job;
  return { bundle, defaults: { size: bundle.sizes[0]!, format, quality }, ...USUAL_SETTINGS };
}

/** @throws UserError if the plan was made with another bundle: images rendered with this one would not match their keys */
export async function checkPlannedWith(store: ObjectStore, piece: string, { name, digest }: BundleRef): Promise<void> {
  if (pipelineVersionOf(await firstJob(store, piece), digest, PIPELINE_VERSION) !== null) return;
  throw new UserError(
    `${piece} in ${shownPlace(store.url)}: expected a plan that was made with bundle ${name} (${shortDigest(digest)}), found render keys of another. ` +
      'The folder has parts of two batches, or a later version planned it',
  );
}

/**
 * How the batch's catalog was read, if that was not recorded: finds a way that reproduces the batch's plan, trying each of
 * the bundle's sizes for rows without one.
 *
 * @throws UserError if none does
 */
export async function plannedReading(
  store: ObjectStore,
  { batch, bundle, defaults }: BatchInput,
  columns: Record<string, string>,
  rows: readonly BatchRow[],
): Promise<{ reading: CatalogReading; defaults: JobDefaults }> {
  for (const format of CATALOG_FORMATS) {
    const file = catalogName(batch, format);
    const bytes = await readIfThere(store, file);
    for (const size of bytes === null ? [] : new Set([defaults.size, ...bundle.sizes])) {
      const tried = { ...defaults, size };
      const options = { file, format, columns, defaults: tried, bundle, pipelineVersion: PIPELINE_VERSION };
      if (await gives(catalogJobs([bytes!], options), bundle, rows)) return { reading: { columns }, defaults: tried };
    }
  }
  throw new UserError(
    `batch ${batch}: reading its catalog in the default way does not reproduce its plan. An earlier version started it and did not record how it was ` +
      'read: map its columns with --column, retry without --catalog, or submit the corrected catalog as another batch',
  );
}

async function gives(jobs: AsyncIterable<Job>, { digest }: BundleRef, rows: readonly BatchRow[]): Promise<boolean> {
  const planned = new Map(rows.map(({ id, firstKey }) => [id, firstKey]));
  try {
    for await (const job of jobs) {
      if (pipelineVersionOf({ ...job, renderKey: planned.get(job.id) ?? '' }, digest, PIPELINE_VERSION) === null)
        return false;
      planned.delete(job.id);
    }
  } catch (error) {
    if (error instanceof CatalogError) return false;
    throw error;
  }
  return planned.size === 0;
}

/** The first job of a piece of a plan. @throws UserError if it has none */
export async function firstJob(store: ObjectStore, piece: string): Promise<Job> {
  const [job] = await readJobs(store, piece);
  if (job !== undefined) return job;
  throw new UserError(`${piece} in ${shownPlace(store.url)}: expected one job per line, found none`);
}
