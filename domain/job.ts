import { z } from 'zod';
import { metadataSchema } from './metadata.ts';
import { byColumn, every, keysOf } from './parameters.ts';

/** A SHA-256 in lower-case hexadecimal. */
export const digestSchema = z.string().regex(/^[0-9a-f]{64}$/, 'a SHA-256 in hexadecimal');

/** One image to render, fully resolved: it depends on no defaults of the machine that renders it. */
export const jobSchema = z.strictObject({
  ...every('value'),
  /** Identifies the image: see render-key.ts. */
  renderKey: digestSchema,
  /** The first line of the catalog's row. */
  line: z.int().positive(),
  /** The row's other columns, carried over to the manifest. */
  metadata: metadataSchema,
});

export type Job = z.infer<typeof jobSchema>;

/** The part of a job that determines its pixels and their encoding. */
export const pictureSchema = jobSchema.pick(every('picture'));

export type Picture = z.infer<typeof pictureSchema>;

const PICTURE = keysOf(pictureSchema.shape);

/** The part of a job that determines the image, in the order of the parameters, without absent ones. */
export function pictureOf(job: Picture): Picture {
  const picture: Record<string, unknown> = {};
  for (const key of PICTURE) if (job[key] !== undefined) picture[key] = job[key];
  return picture as Picture;
}

/** A job's values by the column names of catalogs. */
export const columnsOf = (job: Job) => byColumn(job);

/** Cells of a table row besides the carried columns. */
const OWN_CELLS = 30;

/** This many characters take as long as a cell of average length. */
const CELL_CHARACTERS = 64;

/** The work of a job in a table, measured in cells: a long text counts as several. */
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
