import type { BatchInput, CatalogSource } from './batch.ts';

/** What every later round of a batch needs besides its plan, its receipts and its store. */
export function roundSettings({ source, bundle, defaults, window, team, maxFailures }: BatchInput) {
  return { ...firstSource(source), bundle, defaults, window, team, maxFailures };
}

/** Where the first round's rows came from, which every later round passes on. */
export function firstSource(
  source: CatalogSource,
): Pick<Extract<CatalogSource, { kind: 'retry' }>, 'catalog' | 'reading'> {
  if (source.kind === 'catalog') {
    const { url, columns, sheet, expansion, naming } = source;
    const named = naming !== undefined && { naming };
    return { catalog: url, reading: { columns, ...(sheet !== undefined && { sheet }), expansion, ...named } };
  }
  const { catalog, reading } = source;
  return { ...(catalog !== undefined && { catalog }), ...(reading !== undefined && { reading }) };
}
