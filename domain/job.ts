import { z } from 'zod';
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
  metadata: z.record(z.string(), z.string()),
});

export type Job = z.infer<typeof jobSchema>;

/** The part of a job that decides its pixels and their encoding. */
export const pictureSchema = jobSchema.pick(every('picture'));

export type Picture = z.infer<typeof pictureSchema>;

const PICTURE = keysOf(pictureSchema.shape);

/** What of a job decides the picture, in the parameters' order and without those that it lacks. */
export const pictureOf = (job: Picture): Picture =>
  Object.fromEntries(PICTURE.flatMap((key) => (job[key] === undefined ? [] : [[key, job[key]]]))) as Picture;

/** What a job has in the columns that a catalog may have for it. */
export const columnsOf = (job: Job) => byColumn(job);
