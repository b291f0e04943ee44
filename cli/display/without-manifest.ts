import type { BatchListing } from '../../client/index.ts';
import { oneLine } from '../../domain/printable.mjs';

type Ended = Pick<BatchListing, 'batch' | 'round' | 'total' | 'withoutManifest'>;

/**
 * Two lines for a batch that ended without a manifest: why, and what writes one; no lines for any other batch.
 *
 * @param told the reason, if it has been printed already
 */
export function withoutManifest(ended: Ended, told?: string | null): string[] {
  const { batch, round, total, withoutManifest: reason } = ended;
  if (reason === null) return [];
  const advice =
    total > 0 || round > 1
      ? `"npx pixart-batch retry ${batch}" writes it, and renders what is missing`
      : 'nothing was planned: fix the problem and submit the catalog again';
  return [`ended without a manifest${told ? '' : `: ${oneLine(reason)}`}`, advice];
}
