import { CannotSign } from '../credentials/cannot-sign.ts';
import type { PictureSigner } from '../credentials/picture-signer.ts';
import { UserError } from '../domain/user-error.ts';
import { findManifestHead } from '../records/manifest.ts';
import { type ObjectStore, openPlace, openStore, shownPlace, storeUrl } from '../store/index.ts';
import { type Chosen, chosenRows } from './chosen-rows.ts';
import { checkCutOut } from './cut-out/even-background.ts';
import type { Outcome } from './outcome.ts';
import { checkRequest, type ExportRequest } from './request.ts';
import { checkOutside, type Target, targetOf } from './target.ts';
import { exportToPlace, foreseeInPlace } from './to-place.ts';
import { exportToZip, foreseeZip } from './to-zip.ts';
import type { Work } from './work.ts';
import { worksOf } from './works.ts';

/** Opens a signer with the configured key for a bundle's pictures. */
type OpenSigner = (bundle: { name: string; digest: string }) => Promise<PictureSigner>;

export type BatchExport = Outcome & {
  /** The number of chosen pictures. */
  pictures: number;
  /** Pictures left out because of the review, and rows without a picture. */
  leftOut: Chosen['left'];
  /** Whether files lack the credential that the batch's own copies have. */
  losesCredentials: boolean;
};

/** Documented at client/export.ts. */
export async function exportBatch(
  batch: string,
  request: ExportRequest,
  openSigner?: OpenSigner,
): Promise<BatchExport> {
  checkRequest(request);
  const store = await openStore(storeUrl(request.store));
  const target = await targetOf(request.to, store.url);
  const { rows, left: leftOut } = await chosenRows(store, batch, request);
  const bundle = await bundleOf(store, batch);
  if (request.transparent === true) checkCutOut(bundle);
  const signer = openSigner === undefined ? null : await openSigner(bundle);
  const works = worksOf({ store, batch, bundle, signer }, rows, request);
  await checkOutside(
    target,
    store.url,
    works.flatMap(({ names }) => names),
  );
  const outcome =
    request.dryRun === true ? await foresee(target, batch, works) : await run(target, batch, works, request);
  const losesCredentials = works.some(({ dropsCredentials }) => dropsCredentials);
  return { ...outcome, pictures: rows.length, leftOut, losesCredentials };
}

async function bundleOf(store: ObjectStore, batch: string): Promise<{ name: string; digest: string }> {
  const head = await findManifestHead(store, batch);
  if (head !== null) return head.bundle;
  throw new UserError(
    `batch ${batch}: expected a complete manifest in ${shownPlace(store.url)}, found none; "retry" writes a new one, even if no image is missing`,
  );
}

const foresee = async ({ url, zip }: Target, batch: string, works: readonly Work[]): Promise<Outcome> =>
  zip === null ? foreseeInPlace(await openPlace(url), batch, works) : foreseeZip(zip, works);

async function run(
  { url, zip }: Target,
  batch: string,
  works: readonly Work[],
  request: ExportRequest,
): Promise<Outcome> {
  const pictures = works.reduce((sum, work) => sum + work.pictures, 0);
  let done = 0;
  request.onPictures?.(done, pictures);
  const onPicture = (): void => request.onPictures?.(++done, pictures);
  try {
    if (zip !== null) return await exportToZip(zip, batch, works, onPicture);
    return await exportToPlace(await openPlace(url), batch, works, onPicture);
  } catch (error) {
    throw error instanceof CannotSign ? new UserError(`signing: ${error.message}`) : error;
  }
}
