import { z } from 'zod';

/** How the choices in a catalog's cells are read. */
export const expansionSettingsSchema = z.strictObject({
  /** URL of the folder where files of terms are looked for. */
  terms: z.string(),
  /** So many combinations of a row are drawn; all of them are taken where it is null. */
  sample: z.int().positive().nullable(),
  /** Another number draws other combinations. */
  sampleSeed: z.int().min(0),
  /** A row with more combinations to make is a problem. */
  maxPerRow: z.int().positive(),
});

export type ExpansionSettings = z.infer<typeof expansionSettingsSchema>;

/** Enough to compare, few enough to notice a brace too many before the night does. */
export const MAX_PER_ROW = 1000;
