import { createHash } from 'node:crypto';
import { toSmallJpeg } from '../../images/index.ts';
import { messagePictureName } from '../../records/layout.ts';
import { createSame, type ObjectStore } from '../../store/index.ts';
import type { Picture } from './message.ts';

/** Two hundred thumbnails are a tenth of it. */
const SHEET_BYTES = 64 * 2 ** 20;

/** Mail servers take ten times as much, people on the road do not. */
const PICTURE_BYTES = 2 ** 20;

/**
 * A batch's contact sheet as JPEG: many mail programs, Slack and Teams show no WebP.
 *
 * @param name of the contact sheet in the store
 * @param publicUrl where everybody may fetch an object of the store; the picture is put there, named by what it holds
 * @returns `null` where the sheet is too large for a message
 * @throws ObjectNotFound, StoreUnavailable, UserError
 */
export async function sheetPicture(
  store: ObjectStore,
  batch: string,
  name: string,
  publicUrl?: (name: string) => string,
): Promise<Picture | null> {
  const sheet = await store.read(name, SHEET_BYTES);
  const jpeg = sheet.length > SHEET_BYTES ? null : await toSmallJpeg(sheet, PICTURE_BYTES);
  if (jpeg === null) return null;
  if (publicUrl === undefined) return { kind: 'inline', jpeg };
  const digest = createHash('sha256').update(jpeg).digest('hex');
  const object = messagePictureName(batch, digest);
  await createSame(store, object, jpeg, 'image/jpeg');
  return { kind: 'public', url: publicUrl(object) };
}
