import { damagedName } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import { type FoundObject, ObjectChanged, ObjectKept, type ObjectStore } from '../store/index.ts';
import { contentFault } from './fault.ts';
import { putPicture } from './picture-place.ts';
import { readRecord, recordMetadata } from './record.ts';
import { type Checked, type CheckedImage, checkImage } from './verify-batch.ts';

/** Where an image was brought back from; `render` where only a render brings it back. */
export type Repair = 'object' | 'copy' | 'render';

/**
 * Brings back of one image what the store has: the batch's copy from the object, or the object from the copy. What was in the place of
 * either is kept under a name that says that it is damaged. Where neither is right, all is prepared for the image to be rendered anew.
 *
 * @returns `null` where all is right by now, as another of the batch's images has the same object
 * @throws ObjectChanged; as a store does
 */
export async function repairImage(store: ObjectStore, row: ManifestRow): Promise<Repair | null> {
  const image = await checkImage(store, row);
  const { object, copy, made, signed, wanted } = image;
  if (object.fault === null && copy.fault === null) return null;
  // Bytes of their own: neither comes back from the other, and render workers have the key.
  if (signed !== null) {
    await prepareRender(image);
    return 'render';
  }
  if (copy.fault === null) {
    const put = await putPicture(store, wanted, await read(copy), object.found);
    if (put === null) throw new ObjectChanged(store.url, object.name);
    return 'copy';
  }
  if (object.fault === null && object.found !== null && contentFault(object.found, made) === null) {
    const isRestored = await restoreCopy(object.found, copy).catch(unlessKept);
    if (isRestored === false) throw new ObjectChanged(store.url, copy.name);
    // A round of the batch has names of its own for copies, where the store keeps what is there.
    return isRestored === null ? 'render' : 'object';
  }
  await prepareRender(image);
  return 'render';
}

const read = ({ found }: Checked): Promise<Uint8Array> => found!.read();

function unlessKept(error: unknown): null {
  if (error instanceof ObjectKept) return null;
  throw error;
}

/** Where a copy was exchanged it is first kept aside, in one step with the object's bytes in its place; a folder's copies are links again then. */
async function restoreCopy(object: FoundObject, { name, found }: Checked): Promise<boolean> {
  if (found !== null) {
    const content = { data: await object.read(), contentType: 'application/octet-stream' };
    if ((await found.supersede(damagedName(name, found.version), content)) === null) return false;
  }
  await object.copy(name);
  return true;
}

/**
 * Keeps the copy, which the render replaces. An object that only the manifest shows to be another than it was gets the manifest's record, so
 * that the worker sees it too.
 */
async function prepareRender({ object, copy, made, wanted }: CheckedImage): Promise<void> {
  if (copy.found !== null) await copy.found.copy(damagedName(copy.name, copy.found.version));
  if (object.found === null || object.fault === null || contentFault(object.found, made) === null) return;
  if (readRecord(await object.found.metadata()) !== null) return;
  await object.found.describe(recordMetadata({ ...made, renderKey: wanted.renderKey }));
}
