import { z } from 'zod';
import { extension, IMAGE_FORMATS, type ImageFormat } from './image-format.ts';
import { IN_BATCH_BYTES, jobIdSchema } from './job-id.ts';
import { foldedName, nameFault } from './portable-name.ts';

/** What the name of a job's copy follows from. */
export type Copied = { id: string; format: ImageFormat; copyAs?: string | undefined };

/** Folders of the batch's own, and its files, under which no folder can be. */
const OWN_FOLDER = /^(?:round-\d+|manifest[-\d]*\.(?:jsonl?|csv)|contact-sheet[-\d]*\.(?:webp|html)|changes\.csv)$/;
const OWN_FILE = /^(?:manifest|contact-sheet)[-\d]*\.[^.]*$/;

const IMAGE_ENDINGS = IMAGE_FORMATS.map((format) => `.${extension(format)}`);

/** Ids were less before they had letters of every script, and are still the names of the copies that were made then. */
const FORMER = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}\.[a-z]+$/;

/** Why a batch's copy cannot be called so in its folder; `null` where it can. */
export function copyFault(name: string): string | null {
  const [first = '', ...inside] = foldedName(name).split('/');
  const isOwn = inside.length === 0 ? OWN_FILE.test(first) : OWN_FOLDER.test(first);
  return isOwn ? 'the batch has files of its own under that name' : nameFault(name, IN_BATCH_BYTES);
}

/** Whether it may be the name of a batch's copy in its folder, now or in batches of earlier versions. */
export const isCopyName = (name: string): boolean =>
  IMAGE_ENDINGS.some((ending) => name.endsWith(ending)) && (FORMER.test(name) || copyFault(name) === null);

export const copyNameSchema = z.string().refine(isCopyName, 'the name of an image in the folder of a batch');

/** How a job's copy is called in its batch's folder: as a template said when it was planned, otherwise after its id. */
export const copyNameOf = ({ id, format, copyAs }: Copied): string =>
  copyAs === undefined ? `${jobIdSchema.parse(id)}.${extension(format)}` : copyNameSchema.parse(copyAs);
