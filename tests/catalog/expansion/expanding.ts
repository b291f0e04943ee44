import { openExpansion } from '../../../catalog/expansion/expand-cells.ts';
import type { PlanOptions } from '../../../catalog/plan-catalog.ts';
import { type ExpansionSettings, MAX_PER_ROW } from '../../../domain/catalog-settings.ts';

/** Options that expand choices, with these terms files. */
export function expanding(
  files: Record<string, string> = {},
  settings: Partial<ExpansionSettings> = {},
): Pick<PlanOptions, 'expansion'> {
  const read = (name: string) => Promise.resolve(files[name] === undefined ? null : Buffer.from(files[name]));
  const defaults = { terms: 'the folder', sample: null, sampleSeed: 0, maxPerRow: MAX_PER_ROW };
  return { expansion: openExpansion({ ...defaults, ...settings }, read) };
}
