import { z } from 'zod';
import { copyNameSchema } from '../domain/copy-name.ts';
import { extension, IMAGE_FORMATS, type ImageFormat } from '../domain/image-format.ts';
import { jobIdSchema } from '../domain/job-id.ts';
import { parseJsonLines } from '../records/formats.ts';
import { batchOf, OBJECTS_FOLDER } from '../records/layout.ts';
import { type ObjectStore, shownPlace } from '../store/index.ts';
import { copyIn, isOwn } from './own-names.ts';

/** What a line of a batch's plan, receipts or table says that a sweep has to know: the shared object, and the name of the batch's copy in its folder. */
export type RecordLine = { id: string; object: string | null; copy: string | null };

/** As little as possible is asked of a line, because versions that are still to come write others. */
export const lineSchema = z.object({
  id: jobIdSchema,
  /** Of the plan, and of receipts. */
  renderKey: z.string().optional(),
  format: z.string().optional(),
  object: z.string().optional(),
  copyAs: copyNameSchema.optional(),
  copy: z.string().optional(),
  /** Of a table. */
  render_key: z.string().optional(),
  file: z.string().optional(),
});

type Line = z.infer<typeof lineSchema>;

/** The job, the shared object and the copy that a line names. An object that no version up to this one can have written is none that a sweep would take. */
export function recordLine(line: Line): RecordLine {
  const { id, renderKey = line.render_key ?? '', file = '' } = line;
  const format = line.format ?? IMAGE_FORMATS.find((known) => file.endsWith(`.${extension(known)}`)) ?? '';
  const ending = extension(format as ImageFormat);
  const object = line.object ?? `${OBJECTS_FOLDER}${renderKey}.${ending}`;
  const planned = format === '' ? null : (line.copyAs ?? `${id}.${ending}`);
  return { id, object: isOwn('objects', object) ? object : null, copy: writtenCopy(line) ?? planned };
}

/** Of receipts and tables, which have all of its name. */
function writtenCopy({ copy, file }: Line): string | null {
  const batch = batchOf(copy ?? file ?? '');
  return batch === null ? null : copyIn(batch, (copy ?? file)!);
}

/** @throws DamagedRecord, ObjectNotFound */
export async function readRecordLines(store: ObjectStore, name: string): Promise<RecordLine[]> {
  const lines = await parseJsonLines(await store.read(name), lineSchema, {
    store: store.url,
    name,
    holds: 'jobs or what became of them, one a line',
    remedy:
      `Restore the file, or remove ${name.split('/').slice(0, 2).join('/')}/ from ${shownPlace(store.url)} where the batch is no longer wanted: ` +
      'until then nobody knows which objects it needs.',
  });
  return lines.map(recordLine);
}
