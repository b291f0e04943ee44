import { damagedName } from '../records/layout.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import { type FoundObject, ObjectChanged, ObjectKept, type ObjectStore } from '../store/index.ts';
import { contentFault } from './fault.ts';
import { putPicture } from './picture-place.ts';
import { readRecord, recordMetadata } from './record.ts';
import { type Checked, type CheckedImage, checkImage } from './verify-batch.ts';

/** Where an image was restored from; `render` if it has to be rendered again. */
export type Repair = 'object' | 'copy' | 'render';

/**
 * Restores one image from the store: the batch's copy from the object, or the object from the copy. The damaged file is kept
 * under a name that marks it as damaged. If neither is intact, this prepares for the image to be rendered again.
 *
 * @returns `null` if everything is intact by now, because another image of the batch shares the object
 * @throws ObjectChanged; store errors
 */
export async function repairImage(store: ObjectStore, row: ManifestRow): Promise<Repair | null> {
  const image = await checkImage(store, row);
  const { object, copy, made, signed, wanted } = image;
  if (object.fault === null && copy.fault === null) return null;
  // Signed copies differ from the object, so neither can be restored from the other; only render workers have the key.
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
    // If the store keeps the damaged copy, a new round can still write one under its own name.
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

/** A damaged copy is set aside and replaced by the object's bytes in one step; then a folder's copy becomes a link again. */
async function restoreCopy(object: FoundObject, { name, found }: Checked): Promise<boolean> {
  if (found !== null) {
    const content = { data: await object.read(), contentType: 'application/octet-stream' };
    if ((await found.supersede(damagedName(name, found.version), content)) === null) return false;
  }
  await object.copy(name);
  return true;
}

/**
 * Saves the copy, which the render will replace. If only the manifest shows that an object has changed, the object gets the
 * manifest's record, so that the worker notices too.
 */
async function prepareRender({ object, copy, made, wanted }: CheckedImage): Promise<void> {
  if (copy.found !== null) await copy.found.copy(damagedName(copy.name, copy.found.version));
  if (object.found === null || object.fault === null || contentFault(object.found, made) === null) return;
  if (readRecord(await object.found.metadata()) !== null) return;
  await object.found.describe(recordMetadata({ ...made, renderKey: wanted.renderKey }));
}
