import type { CheckedImage, Repair } from '../pictures/index.ts';
import { audited } from '../records/audit.ts';
import { isRefusal, type ObjectStore, openStore, storeUrl } from '../store/index.ts';

/** A file that differs from the batch's manifest: one of the batch's copies, or a shared object. */
export type Difference = { id: string; name: string; fault: string };

/** How an image was restored; `render` if only another round can. */
export type RepairedImage = { id: string; from: Repair };

export type Verification = {
  /** Number of images in the manifest. */
  images: number;
  differences: Difference[];
  /** Restored images, with `repair`. */
  repaired: RepairedImage[];
  /** Images that could not be restored, and why. */
  unrepaired: { id: string; reason: string }[];
};

export type VerifyRequest = {
  /** Store of the batch: a folder, a `file:` or a `gs://` URL. */
  store: string;
  /** Restores what the store has a second copy of, and sets the damaged files aside. */
  repair?: boolean | undefined;
  onImages?: ((done: number, images: number) => void) | undefined;
};

/**
 * Compares a batch's manifest with its copies and with the shared objects: bytes, checksum and render key. No server is needed.
 * Without `repair` nothing is written. To restore images that have to be rendered, pass their ids to a retry.
 *
 * @throws UserError if the batch has no manifest; store errors
 * @example
 * ```js
 * import { batchEnd, connect, retryBatch, verifyBatch } from 'pixart-batch';
 *
 * const { images, differences, repaired } = await verifyBatch('spring', { store: 'out', repair: true });
 * console.log(`${images} images, ${differences.length} differences`);
 * const again = repaired.filter(({ from }) => from === 'render').map(({ id }) => id);
 * if (again.length > 0) {
 *   const client = await connect();
 *   await retryBatch(client, 'spring', { store: 'out', again });
 *   await batchEnd(client, 'spring');
 *   await client.close();
 * }
 * ```
 */
export async function verifyBatch(
  batch: string,
  { store: url, repair = false, onImages = () => {} }: VerifyRequest,
): Promise<Verification> {
  const store = await openStore(storeUrl(url));
  if (!repair) return compare(store, batch, repair, onImages);
  return audited(store, { action: 'repair', batch }, async (tell) => {
    const found = await compare(store, batch, repair, onImages);
    const { images, differences, repaired, unrepaired } = found;
    tell({ images, differences: differences.length, repaired: repaired.length, unrepaired: unrepaired.length });
    return found;
  });
}

async function compare(
  store: ObjectStore,
  batch: string,
  repair: boolean,
  onImages: NonNullable<VerifyRequest['onImages']>,
): Promise<Verification> {
  // Loaded late: it decodes images, which most users of the library do not need.
  const { checkImages, repairImage } = await import('../pictures/index.ts');
  const found: Verification = { images: 0, differences: [], repaired: [], unrepaired: [] };
  const watch = (done: number, images: number): void => {
    found.images = images;
    onImages(done, images);
  };
  for await (const image of checkImages(store, batch, watch)) {
    const differences = differencesOf(image);
    found.differences.push(...differences);
    if (!repair || differences.length === 0) continue;
    const from = await repairImage(store, image.row).catch(refusal);
    if (from instanceof Error) found.unrepaired.push({ id: image.id, reason: from.message });
    else if (from !== null) found.repaired.push({ id: image.id, from });
  }
  return found;
}

/** A store that refuses to replace one image may allow others. */
function refusal(error: unknown): Error {
  if (isRefusal(error)) return error;
  throw error;
}

const differencesOf = ({ id, copy, object }: CheckedImage): Difference[] =>
  [copy, object].flatMap(({ name, fault }) => (fault === null ? [] : [{ id, name, fault }]));
