import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { byColumn, every, keysOf } from './parameters.ts';

/** A SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');

/** One image to make, fully resolved: nothing is left to a default of the place where it runs. */
export const jobSchema = z.strictObject({
  ...every('value'),
  /** What identifies the picture: see render-key.ts. */
  renderKey: digestSchema,
  /** The first line of the catalog's row. */
  line: z.int().positive(),
  /** The row's other columns, carried along to the manifest. */
  metadata: metadataSchema,
});

export type Job = z.infer<typeof jobSchema>;

/** The part of a job that decides its pixels and their encoding. */
export const pictureSchema = jobSchema.pick(every('picture'));

export type Picture = z.infer<typeof pictureSchema>;

const PICTURE = keysOf(pictureSchema.shape);

/** What of a job decides the picture, in the parameters' order and without those that it lacks. */
export function pictureOf(job: Picture): Picture {
  const picture: Record<string, unknown> = {};
  for (const key of PICTURE) if (job[key] !== undefined) picture[key] = job[key];
  return picture as Picture;
}

/** What a job has in the columns that a catalog may have for it. */
export const columnsOf = (job: Job) => byColumn(job);

/** Of a table's row besides what the job carries along. */
const OWN_CELLS = 30;

/** So many characters take as long as a cell of usual length. */
const CELL_CHARACTERS = 64;

/** The work that a job is in a table, in cells: a long text counts for several. */
export function cellsOf({
  prompt,
  negativePrompt,
  metadata,
}: Pick<Job, 'prompt' | 'negativePrompt' | 'metadata'>): number {
  let characters = prompt.length + negativePrompt.length;
  const carried = Object.values(metadata);
  for (const cell of carried) characters += cell.length;
  return OWN_CELLS + carried.length + Math.floor(characters / CELL_CHARACTERS);
}
