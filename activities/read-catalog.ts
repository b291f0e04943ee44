import { openExpansion } from '../catalog/expansion/expand-cells.ts';
import type { ReadTerms } from '../catalog/expansion/terms.ts';
import type { PlanOptions } from '../catalog/plan-catalog.ts';
import type { CatalogFormat } from '../domain/catalog-settings.ts';
import { PIPELINE_VERSION } from '../models/pixart/pipeline-version.ts';
import { catalogName, catalogType, termsName } from '../records/layout.ts';
import { type ObjectStore, PLAIN_TEXT, type Sources, shownPlace } from '../store/index.ts';
import { type BatchInput, type CatalogReading, type CatalogSource, freshFor } from '../workflows/contract/batch.ts';

/**
 * The catalog's bytes as the batch keeps them in its folder. The first reading puts them there: people edit a catalog by day,
 * and a second attempt at planning must see what the first one saw.
 *
 * @throws UserError where there is no catalog at the URL
 */
export async function readCatalog(
  store: ObjectStore,
  batch: string,
  source: Extract<CatalogSource, { kind: 'catalog' }>,
  { readUrl }: Sources,
): Promise<Uint8Array> {
  const kept = catalogName(batch, source.format);
  if ((await store.stat(kept)) === null) await keep(store, kept, await readUrl(source.url), catalogType(source.format));
  return store.read(kept);
}

/** Reads files of terms once, as readCatalog does the catalog. */
const keptTerms =
  (store: ObjectStore, batch: string, read: ReadTerms): ReadTerms =>
  async (name) => {
    const kept = termsName(batch, name);
    if ((await store.stat(kept)) === null) {
      const bytes = await read(name);
      if (bytes === null) return null;
      await keep(store, kept, bytes, PLAIN_TEXT);
    }
    return store.read(kept);
  };

/** How a catalog of the batch is planned, with the files of terms that the batch keeps. */
export function planOptions(
  store: ObjectStore,
  { batch, bundle, defaults }: Pick<BatchInput, 'batch' | 'bundle' | 'defaults'>,
  { file, format, columns, sheet, expansion, naming }: { file: string; format: CatalogFormat } & CatalogReading,
  { termsReader }: Sources,
): PlanOptions {
  const terms = keptTerms(store, batch, termsReader(expansion?.terms ?? ''));
  return {
    file,
    format,
    columns,
    sheet,
    naming,
    defaults,
    bundle,
    pipelineVersion: PIPELINE_VERSION,
    expansion: openExpansion(expansion && { ...expansion, terms: shownPlace(expansion.terms) }, terms),
    freshFor: freshFor({ batch, defaults }),
  };
}

const keep = (store: ObjectStore, name: string, bytes: Uint8Array, type: string) => store.create(name, bytes, type);
