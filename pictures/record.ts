import { crc32c } from '../store/crc32c.ts';
import type { ObjectMetadata, ObjectStat } from '../store/index.ts';

const RENDER_KEY = 'pixart-batch-render-key';
const BYTES = 'pixart-batch-bytes';
const CRC32C = 'pixart-batch-crc32c';

/** Recorded in an object's metadata when its image is made, so that later changes can be detected. */
export type PictureRecord = Pick<ObjectStat, 'bytes' | 'crc32c'> & { renderKey: string };

export const recordOf = (data: Uint8Array, renderKey: string): PictureRecord => ({
  renderKey,
  bytes: data.length,
  crc32c: crc32c(data),
});

export const recordMetadata = ({ renderKey, bytes, crc32c }: PictureRecord): ObjectMetadata => ({
  [RENDER_KEY]: renderKey,
  [BYTES]: String(bytes),
  [CRC32C]: crc32c,
});

/** `null` if the record is missing, as in earlier versions, or incomplete. */
export function readRecord(metadata: ObjectMetadata): PictureRecord | null {
  const { [RENDER_KEY]: renderKey, [BYTES]: bytes, [CRC32C]: crc32c } = metadata;
  if (renderKey === undefined || bytes === undefined || crc32c === undefined) return null;
  return { renderKey, bytes: Number(bytes), crc32c };
}

/** `71,204 bytes with checksum AAAAAA==` */
export const contentText = ({ bytes, crc32c }: Pick<ObjectStat, 'bytes' | 'crc32c'>): string =>
  `${bytes.toLocaleString('en')} bytes with checksum ${crc32c}`;
