import type { Job } from '../domain/job.ts';
import { imageFault, readRenderKey } from '../images/index.ts';
import type { FoundObject, ObjectStat } from '../store/index.ts';
import { contentText, type PictureRecord } from './record.ts';

/** What of a job tells its picture from others. */
export type WantedPicture = Pick<Job, 'renderKey' | 'format' | 'width' | 'height'>;

type Content = Pick<ObjectStat, 'bytes' | 'crc32c'>;

/**
 * What keeps an object from being the picture that was asked for; `null` where it is. It has to be what was recorded of it; one of which
 * nothing was recorded, as earlier versions left them, has to decode to its last pixel and to carry the render key.
 *
 * @throws as a store does
 */
export async function pictureFault(
  found: FoundObject,
  record: PictureRecord | null,
  wanted: WantedPicture,
): Promise<string | null> {
  if (record === null) return fileFault(await found.read(), wanted);
  return keyFault(record.renderKey, wanted) ?? contentFault(found, record);
}

/** What keeps a file from being the picture that was asked for. */
export const fileFault = async (file: Uint8Array, wanted: WantedPicture): Promise<string | null> =>
  (await imageFault(file, wanted)) ?? keyFault(await readRenderKey(file), wanted);

/** How content differs from what it was. */
export function contentFault(found: Content, made: Content): string | null {
  if (found.bytes === made.bytes && found.crc32c === made.crc32c) return null;
  return `it has ${contentText(found)}, and was made with ${contentText(made)}`;
}

const keyFault = (found: string | null, { renderKey }: WantedPicture): string | null =>
  found === renderKey ? null : `it is the picture of render key ${found ?? 'none'}`;
