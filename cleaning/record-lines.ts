import { z } from 'zod';
import { copyNameSchema } from '../domain/copy-name.ts';
import { extension, IMAGE_FORMATS, type ImageFormat } from '../domain/image-format.ts';
import { jobIdSchema } from '../domain/job-id.ts';
import { parseJsonLines } from '../records/formats.ts';
import { batchOf, OBJECTS_FOLDER } from '../records/layout.ts';
import { type ObjectStore, shownPlace } from '../store/index.ts';
import { copyIn, isOwn } from './own-names.ts';

/** What a sweep needs from a line of a plan, receipts or a table: the shared object, and the copy's name in the batch's folder. */
type RecordLine = { id: string; object: string | null; copy: string | null };

/** Expects as little as possible of a line, because later versions may write other fields. */
export const lineSchema = z.object({
  id: jobIdSchema,
  /** From a plan or receipts. */
  renderKey: z.string().optional(),
  format: z.string().optional(),
  object: z.string().optional(),
  copyAs: copyNameSchema.optional(),
  copy: z.string().optional(),
  /** From a table. */
  render_key: z.string().optional(),
  file: z.string().optional(),
});

type Line = z.infer<typeof lineSchema>;

/**
 * The job, shared object and copy that a line names. Object names that no version so far can have written are ignored:
 * no sweep removes them.
 */
export function recordLine(line: Line): RecordLine {
  const { id, renderKey = line.render_key ?? '', file = '' } = line;
  const format = line.format ?? IMAGE_FORMATS.find((known) => file.endsWith(`.${extension(known)}`)) ?? '';
  const ending = extension(format as ImageFormat);
  const object = line.object ?? `${OBJECTS_FOLDER}${renderKey}.${ending}`;
  const planned = format === '' ? null : (line.copyAs ?? `${id}.${ending}`);
  return { id, object: isOwn('objects', object) ? object : null, copy: writtenCopy(line) ?? planned };
}

/** The copy's name from receipts or a table, which have it in full. */
function writtenCopy({ copy, file }: Line): string | null {
  const batch = batchOf(copy ?? file ?? '');
  return batch === null ? null : copyIn(batch, (copy ?? file)!);
}

/** @throws DamagedRecord, ObjectNotFound */
export async function readRecordLines(store: ObjectStore, name: string): Promise<RecordLine[]> {
  const lines = await parseJsonLines(await store.read(name), lineSchema, {
    store: store.url,
    name,
    holds: 'jobs or their outcomes, one a line',
    remedy:
      `Restore the file, or remove ${name.split('/').slice(0, 2).join('/')}/ from ${shownPlace(store.url)} if the batch is no longer needed. ` +
      'Until then it is unknown which objects the batch needs.',
  });
  return lines.map(recordLine);
}
