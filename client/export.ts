import { UserError } from '../domain/user-error.ts';
import type { BatchExport } from '../exporting/export-batch.ts';
import type { ExportRequest } from '../exporting/request.ts';
import { openBundles } from '../models/pixart/installed-bundles.ts';

export type { BatchExport, ExportRequest };

/**
 * Exports the images of a batch that a review approved, or all of them, to a folder, a bucket or a zip file: as they are,
 * resized, converted, cut out, or as sprite sheets. No server is needed. Only what has changed since the last export is
 * written; a file that no export wrote is never replaced.
 *
 * @throws UserError if the batch has no manifest, no review or no matching image, a name is missing or not unique, or the
 * request is impossible; nothing is written then
 * @throws store errors
 * @example
 * ```js
 * import { exportBatch } from 'pixart-batch';
 *
 * const { written, unmade } = await exportBatch('spring', {
 *   store: 'out',
 *   to: 'game/assets',
 *   all: true,
 *   name: '{id}-{seed}.{ext}',
 *   transparent: true,
 *   densities: [1, 2],
 *   formats: ['webp'],
 * });
 * console.log(`${written.length} files`);
 * for (const { id, reason } of unmade) console.log(id, reason);
 * ```
 */
export async function exportBatch(batch: string, request: ExportRequest): Promise<BatchExport> {
  const { sign } = request;
  // Loaded late: it decodes images, which most users of the library do not need.
  const { exportBatch } = await import('../exporting/export-batch.ts');
  if (sign === undefined) return exportBatch(batch, request);
  return exportBatch(batch, request, async (bundle) => {
    const { openPictureSigner } = await import('../credentials/picture-signer.ts');
    return openPictureSigner(sign, { ...bundle, license: await licenseOf(bundle) });
  });
}

/** A credential states the licence of the bundle, which only the bundle knows. */
async function licenseOf({ name, digest }: { name: string; digest: string }): Promise<string> {
  const found = (await openBundles()).find((bundle) => bundle.digest === digest);
  if (found !== undefined) return found.description.license;
  throw new UserError(
    `signing: expected the bundle ${name} that the batch was made with, for its licence, found it not installed: put it into a folder that ` +
      'PIXART_BATCH_BUNDLES names',
  );
}
