import { z } from 'zod';
import { extension, IMAGE_FORMATS, type ImageFormat } from './image-format.ts';
import { IN_BATCH_BYTES, jobIdSchema } from './job-id.ts';
import { foldedName, nameFault } from './portable-name.ts';

/** What determines the name of a job's copy. */
export type Copied = { id: string; format: ImageFormat; copyAs?: string | undefined };

/** The batch's own folders, and its files, which cannot be folders. */
const OWN_FOLDER = /^(?:round-\d+|manifest[-\d]*\.(?:jsonl?|csv)|contact-sheet[-\d]*\.(?:webp|html)|changes\.csv)$/;
const OWN_FILE = /^(?:manifest|contact-sheet)[-\d]*\.[^.]*$/;

const IMAGE_ENDINGS = IMAGE_FORMATS.map((format) => `.${extension(format)}`);

/** The rule for ids of earlier versions, which allowed fewer characters: their copies keep those names. */
const FORMER = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\.[a-z]+$/;

/** Why a batch's copy cannot have this name in its folder; `null` if it can. */
export function copyFault(name: string): string | null {
  const [first = '', ...inside] = foldedName(name).split('/');
  const isOwn = inside.length === 0 ? OWN_FILE.test(first) : OWN_FOLDER.test(first);
  return isOwn ? 'the batch uses that name for its own files' : nameFault(name, IN_BATCH_BYTES);
}

/** Whether a batch's copy may have this name in its folder, now or in batches of earlier versions. */
export const isCopyName = (name: string): boolean =>
  IMAGE_ENDINGS.some((ending) => name.endsWith(ending)) && (FORMER.test(name) || copyFault(name) === null);

export const copyNameSchema = z.string().refine(isCopyName, 'the name of an image in the folder of a batch');

/** The name of a job's copy in its batch's folder: from the template at planning time, or else from its id. */
export const copyNameOf = ({ id, format, copyAs }: Copied): string =>
  copyAs === undefined ? `${jobIdSchema.parse(id)}.${extension(format)}` : copyNameSchema.parse(copyAs);
