import type { Job } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import type { PicturePlace } from '../pictures/index.ts';
import { copyName, roundCopyName } from '../records/layout.ts';
import { type FoundObject, ObjectChanged, ObjectKept, StoreDenied } from '../store/index.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { ObjectConflict } from './render-failure.ts';
import type { PutCopy } from './signed-copy.ts';

/** Tries while something else keeps replacing the object. */
const MOST_TRIES = 5;

/**
 * Stores a picture under its name, or finds the one that somebody else has stored there meanwhile.
 *
 * @throws ObjectConflict if the object there is damaged and the store does not allow replacing it
 * @throws ObjectChanged if others keep replacing the object
 */
export async function publishPicture(
  place: PicturePlace,
  bytes: Uint8Array,
): Promise<{ object: FoundObject; created: boolean }> {
  for (let tries = 0; tries < MOST_TRIES; tries++) {
    const put = await place.put(bytes).catch((error) => {
      throw conflictOf(place, error) ?? error;
    });
    if (put !== null) return { object: put, created: true };
    const found = await place.find();
    if (found !== null) return { object: found, created: false };
  }
  throw new ObjectChanged(place.url, place.name);
}

function conflictOf({ name, damaged }: PicturePlace, error: unknown): ObjectConflict | null {
  const isRefused = error instanceof StoreDenied || error instanceof ObjectKept;
  return damaged !== null && isRefused ? new ObjectConflict(name, damaged.fault, error) : null;
}

/** Where a batch's own copy is, and its size and checksum if it is signed. */
export type Copied = Pick<Receipt, 'copy' | 'signed'>;

/** Makes the batch's own copy, in a folder of its round if the store retains another picture under the usual name. */
export async function copyToBatch(
  object: FoundObject,
  { batch, round }: RenderImageInput,
  job: Job,
  put: PutCopy,
): Promise<Copied> {
  const copy = copyName(batch, job);
  try {
    return { copy, ...(await put(object, copy)) };
  } catch (error) {
    if (!(error instanceof ObjectKept)) throw error;
  }
  const another = roundCopyName(batch, round, job);
  return { copy: another, ...(await put(object, another)) };
}
