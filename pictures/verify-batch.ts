import { readBatchRows } from '../records/batch-rows.ts';
import { formatOf, objectName } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import type { FoundObject, ObjectStore } from '../store/index.ts';
import { contentFault, fileFault, pictureFault, type WantedPicture } from './fault.ts';
import { readRecord } from './record.ts';

/** The object under a name, and how it differs from the manifest. */
export type Checked = { name: string; found: FoundObject | null; fault: string | null };

/** An image in a batch's manifest, with the batch's copy and the shared object. */
export type CheckedImage = {
  id: string;
  /** Its row in the manifest. */
  row: ManifestRow;
  wanted: WantedPicture;
  /** Size and checksum of its object, from the manifest. */
  made: { bytes: number; crc32c: string };
  /** The same for the batch's own copy, if it is signed. */
  signed: { bytes: number; crc32c: string } | null;
  copy: Checked;
  object: Checked;
};

/** Each may hold an image of 30 MB in memory, twice. */
const AT_ONCE = 8;

/**
 * Compares every image of a batch's manifest with the store: bytes, checksum and render key. Writes nothing.
 *
 * @param onImages is called with the number of images checked, and of all images
 * @throws UserError if the batch has no manifest
 * @throws store errors
 */
export async function* checkImages(
  store: ObjectStore,
  batch: string,
  onImages: (done: number, images: number) => void = () => {},
): AsyncGenerator<CheckedImage> {
  const rows = (await readBatchRows(store, batch)).filter(({ file }) => file !== '');
  onImages(0, rows.length);
  for (let start = 0; start < rows.length; start += AT_ONCE) {
    const some = rows.slice(start, start + AT_ONCE);
    yield* await Promise.all(some.map((row) => checkImage(store, row)));
    onImages(start + some.length, rows.length);
  }
}

/** Compares one image, as it is now. @throws store errors */
export async function checkImage(store: ObjectStore, row: ManifestRow): Promise<CheckedImage> {
  const { id, file, width, height, render_key: renderKey } = row;
  const format = formatOf(file);
  const wanted = { renderKey, format, width, height };
  const made = { bytes: row.bytes ?? 0, crc32c: row.crc32c ?? '' };
  const signed = row.signed_crc32c === null ? null : { bytes: row.signed_bytes ?? 0, crc32c: row.signed_crc32c };
  const object = await checkObject(store, objectName(renderKey, format), wanted, made);
  const copy = await (signed === null
    ? checkCopy(store, file, wanted, made, object)
    : checkSignedCopy(store, file, signed));
  return { id, row, wanted, made, signed, object, copy };
}

type Made = CheckedImage['made'];

/** If the image has been rendered again since, its record differs from this batch's manifest, and both are valid. */
async function checkObject(store: ObjectStore, name: string, wanted: WantedPicture, made: Made): Promise<Checked> {
  const found = await store.find(name);
  if (found === null) return { name, found, fault: MISSING };
  const record = readRecord(await found.metadata());
  const differs = record === null ? contentFault(found, made) : null;
  return { name, found, fault: differs ?? (await pictureFault(found, record, wanted)) };
}

/** An earlier version may have recorded a damaged file in the manifest, so at least one of the two files is decoded. */
async function checkCopy(
  store: ObjectStore,
  name: string,
  wanted: WantedPicture,
  made: Made,
  object: Checked,
): Promise<Checked> {
  const found = await store.find(name);
  if (found === null) return { name, found, fault: MISSING };
  const isAsObject = object.found !== null && object.fault === null && contentFault(object.found, found) === null;
  const fault = contentFault(found, made) ?? (isAsObject ? null : await fileFault(await found.read(), wanted));
  return { name, found, fault };
}

/** Signed images were checked before they were signed. */
async function checkSignedCopy(store: ObjectStore, name: string, signed: Made): Promise<Checked> {
  const found = await store.find(name);
  return { name, found, fault: found === null ? MISSING : contentFault(found, signed) };
}

const MISSING = 'it is missing';
