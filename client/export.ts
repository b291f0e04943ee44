import { UserError } from '../domain/user-error.ts';
import type { BatchExport } from '../exporting/export-batch.ts';
import type { ExportRequest } from '../exporting/request.ts';
import { openBundles } from '../models/pixart/installed-bundles.ts';

export type { BatchExport, ExportRequest };

/**
 * Exports the pictures of a batch that a review approved, or all of them, to a folder, a bucket or a zip file, as they are or in other sizes and formats, cut
 * out, or as sprite sheets. No server is needed. Only what has changed since the last export is written; a file that no export wrote is never replaced.
 *
 * @throws UserError where the batch has no manifest, no review or no picture that is meant, a name is missing or two are the same, or something
 * asked for cannot be; nothing is written then
 * @throws as a store does
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
  // Loaded late: it decodes images, and most programs that use the library do not.
  const { exportBatch } = await import('../exporting/export-batch.ts');
  if (sign === undefined) return exportBatch(batch, request);
  return exportBatch(batch, request, async (bundle) => {
    const { openPictureSigner } = await import('../credentials/picture-signer.ts');
    return openPictureSigner(sign, { ...bundle, license: await licenseOf(bundle) });
  });
}

/** A credential tells the licence of the bundle, which only the bundle knows. */
async function licenseOf({ name, digest }: { name: string; digest: string }): Promise<string> {
  const found = (await openBundles()).find((bundle) => bundle.digest === digest);
  if (found !== undefined) return found.description.license;
  throw new UserError(
    `signing: expected the bundle ${name} that the batch was made with, whose licence a credential tells, found it not installed: put it into a folder that ` +
      'PIXART_BATCH_BUNDLES names',
  );
}
