import type { Job } from '../domain/job.ts';
import { imageFault, readRenderKey } from '../images/index.ts';
import type { FoundObject, ObjectStat } from '../store/index.ts';
import { contentText, type PictureRecord } from './record.ts';

/** The part of a job that identifies its image file. */
export type WantedPicture = Pick<Job, 'renderKey' | 'format' | 'width' | 'height'>;

type Content = Pick<ObjectStat, 'bytes' | 'crc32c'>;

/**
 * Why an object is not the requested image; `null` if it is. It has to match its record; an object without one, from an
 * earlier version, has to decode completely and contain the render key.
 *
 * @throws store errors
 */
export async function pictureFault(
  found: FoundObject,
  record: PictureRecord | null,
  wanted: WantedPicture,
): Promise<string | null> {
  if (record === null) return fileFault(await found.read(), wanted);
  return keyFault(record.renderKey, wanted) ?? contentFault(found, record);
}

/** Why a file is not the requested image. */
export const fileFault = async (file: Uint8Array, wanted: WantedPicture): Promise<string | null> =>
  (await imageFault(file, wanted)) ?? keyFault(await readRenderKey(file), wanted);

/** How content differs from what was made. */
export function contentFault(found: Content, made: Content): string | null {
  if (found.bytes === made.bytes && found.crc32c === made.crc32c) return null;
  return `it has ${contentText(found)}, but was made with ${contentText(made)}`;
}

const keyFault = (found: string | null, { renderKey }: WantedPicture): string | null =>
  found === renderKey ? null : `it has ${found === null ? 'no render key' : `render key ${found}`}`;
