import type { Job } from '../domain/job.ts';
import { imageFault, readRenderKey } from '../images/index.ts';
import { type FoundObject, type ObjectStat, StoreDenied, StoreUnavailable } from '../store/index.ts';
import { contentText, readRecord, recordMetadata } from './record.ts';

/** What of a job tells its picture from others. */
export type WantedPicture = Pick<Job, 'renderKey' | 'format' | 'width' | 'height'>;

/**
 * What keeps an object from being the picture that was asked for; `null` where it is. It has to be what was recorded when it was made. One
 * of which nothing was recorded, as earlier versions left them, has to decode to its last pixel and to carry the render key; it gets its
 * record then.
 *
 * @throws as a store does
 */
export async function pictureFault(found: FoundObject, wanted: WantedPicture): Promise<string | null> {
  const record = readRecord(await found.metadata());
  if (record !== null) return keyFault(record.renderKey, wanted) ?? contentFault(found, record);
  const fault = await fileFault(await found.read(), wanted);
  if (fault === null) await keepRecord(found, wanted.renderKey);
  return fault;
}

/** What keeps a file from being the picture that was asked for. */
export const fileFault = async (file: Uint8Array, wanted: WantedPicture): Promise<string | null> =>
  (await imageFault(file, wanted)) ?? keyFault(await readRenderKey(file), wanted);

/** How content differs from what it was. */
export function contentFault(found: Content, made: Content): string | null {
  if (found.bytes === made.bytes && found.crc32c === made.crc32c) return null;
  return `it has ${contentText(found)}, and was made with ${contentText(made)}`;
}

type Content = Pick<ObjectStat, 'bytes' | 'crc32c'>;

const keyFault = (found: string | null, { renderKey }: WantedPicture): string | null =>
  found === renderKey ? null : `it is the picture of render key ${found ?? 'none'}`;

/** What cannot be noted now is found out again the next time. */
async function keepRecord(found: FoundObject, renderKey: string): Promise<void> {
  try {
    await found.describe(recordMetadata({ renderKey, bytes: found.bytes, crc32c: found.crc32c }));
  } catch (error) {
    if (!(error instanceof StoreDenied || error instanceof StoreUnavailable)) throw error;
  }
}
