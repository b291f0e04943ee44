import { readBatchRows } from '../records/batch-rows.ts';
import { formatOf, objectName } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import type { FoundObject, ObjectStore } from '../store/index.ts';
import { contentFault, fileFault, pictureFault, type WantedPicture } from './fault.ts';
import { readRecord } from './record.ts';

/** What is under a name, and what keeps it from being what the manifest says of it. */
export type Checked = { name: string; found: FoundObject | null; fault: string | null };

/** An image of a batch's manifest, the batch's copy of it and the shared object. */
export type CheckedImage = {
  id: string;
  /** The batch's row of it. */
  row: ManifestRow;
  wanted: WantedPicture;
  /** What the manifest says that its object was made with. */
  made: { bytes: number; crc32c: string };
  /** The same of the batch's own copy, where it is signed. */
  signed: { bytes: number; crc32c: string } | null;
  copy: Checked;
  object: Checked;
};

/** Each may have an image of 30 MB in memory, twice. */
const AT_ONCE = 8;

/**
 * Compares every image of a batch's manifest with what is in the store: its bytes, checksum and render key. Nothing is written.
 *
 * @param onImages is told how many images there are, and how many of them have been looked at
 * @throws UserError where the batch has no manifest
 * @throws as a store does
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

/** Compares one image, as it is now. @throws as a store does */
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

/** Where a picture was rendered anew since, its record tells of other bytes than this batch's manifest, and both are right. */
async function checkObject(store: ObjectStore, name: string, wanted: WantedPicture, made: Made): Promise<Checked> {
  const found = await store.find(name);
  if (found === null) return { name, found, fault: MISSING };
  const record = readRecord(await found.metadata());
  const differs = record === null ? contentFault(found, made) : null;
  return { name, found, fault: differs ?? (await pictureFault(found, record, wanted)) };
}

/** An earlier version may have put what was damaged already into the manifest, so that the bytes of one of the two are looked into. */
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

/** What was signed had been looked into. */
async function checkSignedCopy(store: ObjectStore, name: string, signed: Made): Promise<Checked> {
  const found = await store.find(name);
  return { name, found, fault: found === null ? MISSING : contentFault(found, signed) };
}

const MISSING = 'it is not there';
