import type { ExpansionSettings } from '../../domain/expansion-settings.ts';
import type { Expansion } from './expand-cells.ts';
import { type ReadTerms, Terms } from './terms.ts';

/** The settings with something that reads files of terms; `undefined` without settings. */
export const openExpansion = (settings: ExpansionSettings | undefined, read: ReadTerms): Expansion | undefined =>
  settings && { ...settings, terms: new Terms(read, settings.terms) };
