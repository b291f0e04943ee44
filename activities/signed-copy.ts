import { CannotSign } from '../credentials/cannot-sign.ts';
import type { PictureSigner } from '../credentials/picture-signer.ts';
import type { Job } from '../domain/job.ts';
import type { Receipt } from '../domain/receipt.ts';
import { contentType } from '../images/index.ts';
import type { FoundObject, ObjectStore } from '../store/index.ts';

/** Stores a picture under the batch's own name. @returns size and checksum, if they are not the object's */
export type PutCopy = (object: FoundObject, name: string) => Promise<Pick<Receipt, 'signed'>>;

const plainCopy: PutCopy = async (object, name) => {
  await object.copy(name);
  return {};
};

/** A copy with a credential. One that an earlier attempt or round has signed stays, as every signature is another. */
const signedCopy =
  (store: ObjectStore, job: Job, signer: PictureSigner): PutCopy =>
  async (object, name) => {
    // No byte of it is copied, and it must not be cleaned away.
    await object.noteUse();
    const there = await store.find(name);
    if (there !== null && (await signer.hasSigned(await there.read(), job, object)))
      return { signed: contentOf(there) };
    const file = await signer.sign(await object.read(), job, object);
    return { signed: contentOf(await store.replace(name, file, contentType(job.format))) };
  };

const contentOf = ({ bytes, crc32c }: { bytes: number; crc32c: string }) => ({ bytes, crc32c });

/**
 * How the batch wants its copy of the job's picture.
 *
 * @throws CannotSign where it is to be signed and this worker has no key
 */
export function copyFor(store: ObjectStore, job: Job, signer: PictureSigner | undefined): PutCopy {
  if (job.sign === undefined) return plainCopy;
  if (signer !== undefined) return signedCopy(store, job, signer);
  throw new CannotSign(
    'the batch wants signed images, but this render worker has no key: start render workers with --sign-with and --sign-as, then retry the batch',
  );
}
