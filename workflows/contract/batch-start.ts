import { shortDigest } from '../../domain/bundle-ref.ts';
import { oneLine } from '../../domain/printable.mjs';
import type { BatchInput, BatchMemo, CatalogSource } from './batch.ts';
import { code, plain } from './markdown.ts';
import { batchWorkflowId } from './queues.ts';

/** URL of the catalog that a batch's first round was planned from; retries started by older versions may not have it. */
export const catalogUrl = (source: CatalogSource): string | undefined =>
  source.kind === 'catalog' ? source.url : source.catalog;

/** The options to start any batch with, by hand or from a schedule: its id, and what Temporal's UI and listings show. */
export function batchStart(input: BatchInput) {
  const catalog = catalogUrl(input.source) ?? input.batch;
  const memo: BatchMemo = {
    batch: input.batch,
    round: input.round,
    state: 'planning',
    catalog,
    bundle: input.bundle.name,
    bundleDigest: input.bundle.digest,
    ...(input.bundle.encoder !== undefined && { encoder: input.bundle.encoder }),
    store: input.store,
  };
  return {
    workflowId: batchWorkflowId(input.batch),
    args: [input] as [BatchInput],
    memo,
    staticSummary:
      input.round === 1 ? `Images of ${plain(fileName(catalog))}` : `Retry ${input.round - 1} of ${input.batch}`,
    staticDetails: [
      `- catalog: ${code(catalog)}`,
      `- bundle: ${code(input.bundle.name)} (${code(shortDigest(input.bundle.digest))})`,
      `- store: ${code(input.store)}`,
      `- images in flight: ${input.window} per size`,
    ].join('\n'),
  };
}

/** The summary in Temporal's UI of what a schedule starts. */
export const scheduleSummary = ({ source }: Pick<BatchInput, 'source'>): string =>
  `Batches of ${plain(fileName(catalogUrl(source) ?? ''))}`;

/** Temporal refuses a summary of more than 400 bytes, and a character may take four. */
const fileName = (url: string): string => [...oneLine(url.slice(url.lastIndexOf('/') + 1))].slice(-80).join('');
